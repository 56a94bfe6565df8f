// Reads configuration from the documentation, so that the tests run the same text that people copy.
import { readFile } from "node:fs/promises";
import { expect } from "vitest";
import type { Device, Printed } from "./cluster-device.ts";

/**
 * Returns the block of `language` in a page of docs/ with `places` replaced by those of a test. Throws if there is
 * not exactly one block, or if it lacks a place.
 */
export async function documented(
  language: string,
  places: Readonly<Record<string, string>>,
  name = "integration.md",
): Promise<string> {
  const page = await readFile(new URL(`../../docs/${name}`, import.meta.url), "utf8");
  const blocks = [...page.matchAll(new RegExp(`^( *)\`\`\`${language}\\n(.*?)^ *\`\`\``, "gms"))];
  if (blocks.length !== 1) throw new Error(`docs/${name} has ${blocks.length} blocks of ${language}`);
  return Object.entries(places).reduce((text, [place, here]) => {
    if (!text.includes(place)) throw new Error(`the ${language} block of docs/${name} lacks ${place}`);
    return text.replaceAll(place, here);
  }, blocks[0]?.[2] ?? "");
}

/**
 * Runs the commands below a heading of a page of docs/ on a device, with `places` replaced by those of a test, and with a
 * yes to those that ask. Expects each to succeed. Returns their documents.
 */
export async function typeDocumented(
  device: Device,
  name: string,
  heading: string,
  places: Readonly<Record<string, string>>,
): Promise<Printed["document"][]> {
  const documents: Printed["document"][] = [];
  for (const command of await documentedCommands(name, heading)) {
    const line = Object.entries(places).reduce((text, [place, here]) => text.replaceAll(place, here), command);
    const [program, ...args] = line.split(" ");
    expect(program).toBe("lockstep");
    const yes = /^lockstep (thaw|repo remove) /.test(line) ? ["--yes"] : [];
    const { code, document } = await device.lockstep(...args, ...yes);
    expect({ line, code, document }).toMatchObject({ line, code: 0 });
    documents.push(document);
  }
  return documents;
}

/** Returns the lines of the blocks without a language below a heading of a page of docs/. Throws if there are none. */
async function documentedCommands(name: string, heading: string): Promise<string[]> {
  const page = await readFile(new URL(`../../docs/${name}`, import.meta.url), "utf8");
  const [, section = ""] = page.split(new RegExp(`^#+ ${heading}\\n`, "m"));
  const [own = ""] = section.split(/^#/m);
  const lines = [...own.matchAll(/^```\n(.*?)^```/gms)].flatMap(([, block = ""]) => block.trim().split("\n"));
  if (lines.length === 0) throw new Error(`docs/${name} has no commands below ${heading}`);
  return lines;
}

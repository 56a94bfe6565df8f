// Configuration as the documentation has it, so that what people copy is what was tried.
import { readFile } from "node:fs/promises";

/**
 * The block of `language` in docs/integration.md, with its places replaced by those of a test. Throws when there is not exactly
 * one block, or when it lacks a place.
 */
export async function documented(language: string, places: Readonly<Record<string, string>>): Promise<string> {
  const page = await readFile(new URL("../../docs/integration.md", import.meta.url), "utf8");
  const blocks = [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))];
  if (blocks.length !== 1) throw new Error(`docs/integration.md has ${blocks.length} blocks of ${language}`);
  return Object.entries(places).reduce((text, [place, here]) => {
    if (!text.includes(place)) throw new Error(`the ${language} block of docs/integration.md lacks ${place}`);
    return text.replaceAll(place, here);
  }, blocks[0]?.[1] ?? "");
}

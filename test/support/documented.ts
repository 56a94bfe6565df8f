// Reads configuration from the documentation, so that the tests run the same text that people copy.
import { readFile } from "node:fs/promises";

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

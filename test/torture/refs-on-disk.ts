// Reads the refs of a replica and HEAD from its files: object ids, and the targets of symbolic refs. A target need not
// exist. Names are latin1. It does not use git, because git might hide a ref that it takes for broken.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathOf } from "./odd-names.ts";

export async function refsOnDisk(gitDir: string): Promise<Record<string, string>> {
  const loose = new Map<string, string>();
  await collect(gitDir, "refs", loose);
  const packed = await readFile(join(gitDir, "packed-refs"), "latin1").catch(() => "");
  const lines = packed.split("\n").filter((line) => /^[0-9a-f]/.test(line));
  const refs = new Map(lines.map((line) => line.split(" ").reverse() as [string, string]));
  for (const [name, value] of loose) refs.set(name, value);
  refs.set("HEAD", await valueIn(gitDir, "HEAD"));
  return Object.fromEntries([...refs].filter(([name]) => !name.startsWith("refs/lockstep/")));
}

async function collect(gitDir: string, directory: string, found: Map<string, string>): Promise<void> {
  const options = { withFileTypes: true, encoding: "latin1" } as const;
  const entries = await readdir(pathOf(join(gitDir, directory)), options as never).catch(() => []);
  for (const entry of entries as unknown as { name: string; isDirectory(): boolean }[]) {
    const name = `${directory}/${entry.name}`;
    if (entry.isDirectory()) await collect(gitDir, name, found);
    else if (!name.endsWith(".lock")) found.set(name, await valueIn(gitDir, name));
  }
}

async function valueIn(gitDir: string, name: string): Promise<string> {
  const content = await readFile(pathOf(`${gitDir}/${name}`), "latin1").catch(() => "nothing that can be read");
  return content.trimEnd();
}

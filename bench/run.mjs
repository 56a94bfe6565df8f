// `npm run bench`, or `npm run bench -- "push one commit" …` for single ones by the beginning of their names.
import { readdirSync } from "node:fs";

const here = new URL(".", import.meta.url);
const wanted = process.argv.slice(2);
for (const file of readdirSync(here).sort()) {
  if (!file.endsWith(".mjs")) continue;
  if (["harness.mjs", "run.mjs", "plain-gate.mjs", "echo-server.mjs"].includes(file)) continue;
  const { benchmarks } = await import(new URL(file, here).href);
  for (const [name, benchmark] of Object.entries(benchmarks)) {
    if (wanted.length === 0 || wanted.some((each) => name.startsWith(each))) await benchmark();
  }
}

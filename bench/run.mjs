// `npm run bench` runs all benchmarks. `npm run bench -- "push one commit" …` runs those whose names begin so.
import { readdirSync } from "node:fs";

/** Files that benchmarks use or start. Every other file here has benchmarks. */
const TOOLS = [
  "harness.mjs",
  "run.mjs",
  "http-push.mjs",
  "many-repositories.mjs",
  "gate-options.mjs",
  "plain-gate.mjs",
  "locked-gate.mjs",
  "echo-server.mjs",
];

const here = new URL(".", import.meta.url);
const wanted = process.argv.slice(2);
for (const file of readdirSync(here).sort()) {
  if (!file.endsWith(".mjs") || TOOLS.includes(file)) continue;
  const { benchmarks } = await import(new URL(file, here).href);
  for (const [name, benchmark] of Object.entries(benchmarks)) {
    if (wanted.length === 0 || wanted.some((each) => name.startsWith(each))) await benchmark();
  }
}

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
const all = {};
for (const file of readdirSync(here).sort()) {
  if (!file.endsWith(".mjs") || TOOLS.includes(file)) continue;
  const { benchmarks } = await import(new URL(file, here).href);
  Object.assign(all, benchmarks);
}
const names = Object.keys(all);
const wanted = process.argv.slice(2);
const unknown = wanted.filter((each) => !names.some((name) => name.startsWith(each)));
if (unknown.length > 0) {
  console.error(`No benchmark begins with "${unknown.join('", "')}"; there are:\n  ${names.join("\n  ")}`);
  process.exit(2);
}
for (const name of names) {
  if (wanted.length === 0 || wanted.some((each) => name.startsWith(each))) await all[name]();
}

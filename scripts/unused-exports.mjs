// `node scripts/unused-exports.mjs` names each export of src/ that no other file imports, and fails if there is one. A
// type may be exported if its own file uses it, because exported functions take and return it.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const EXPORT = /^export (?:declare )?(?:async )?(?:abstract )?(?:function\*?|class|const|let|(interface|type)) (\w+)/gm;
const IMPORT = /(?:import|export) (?:type )?(?:\w+, )?(?:\{([^}]*)\}|\* as \w+) from "([^"]+)"/g;
const LATE_IMPORT = /import\("([^"]+)"\)/g;
/**
 * Files whose exports count as used: programs, the client that users import, and the imports of scripts/generate.mjs.
 */
const ENTRIES = [
  /^src\/main\.ts$/,
  /^src\/shim\/main\.ts$/,
  /^src\/client\//,
  /^src\/generated\//,
  /^src\/settings\/configuration-page\.ts$/,
];

/**
 * Returns the exports that no other file imports, as `FILE: NAME`. `files` maps each path from the root to its text.
 */
export function unusedExports(files) {
  const used = new Set();
  for (const [path, text] of files) {
    const target = (from) =>
      join(dirname(path), from)
        .replace(/\.js$/, ".ts")
        .replace(/^dist\//, "src/");
    for (const [, names, from] of text.matchAll(IMPORT))
      for (const name of names === undefined ? ["*"] : names.split(","))
        used.add(
          `${target(from)}: ${
            name
              .trim()
              .replace(/^type /, "")
              .split(/\s/)[0]
          }`,
        );
    for (const [, from] of text.matchAll(LATE_IMPORT))
      for (const word of text.matchAll(/\w+/g)) used.add(`${target(from)}: ${word[0]}`);
  }
  return [...files]
    .filter(([path]) => path.startsWith("src/") && !ENTRIES.some((entry) => entry.test(path)))
    .flatMap(([path, text]) => [...text.matchAll(EXPORT)].map(([, type, name]) => ({ path, text, type, name })))
    .filter(({ path, name }) => !used.has(`${path}: ${name}`) && !used.has(`${path}: *`))
    .filter(({ text, type, name }) => type === undefined || text.split(new RegExp(`\\b${name}\\b`)).length === 2)
    .map(({ path, name }) => `${path}: ${name}`);
}

function projectFiles(root) {
  const files = new Map();
  for (const directory of ["src", "test", "bench", "scripts"])
    for (const name of readdirSync(join(root, directory), { recursive: true }))
      if (/\.(ts|mjs)$/.test(name)) files.set(join(directory, name), readFileSync(join(root, directory, name), "utf8"));
  return files;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const unused = unusedExports(projectFiles(dirname(dirname(fileURLToPath(import.meta.url)))));
  for (const each of unused) process.stderr.write(`${each} is exported, and no other file imports it.\n`);
  if (unused.length > 0) process.exit(1);
}

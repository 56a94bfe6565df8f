// Writes the generated files: the types of the protocol, docs/configuration.md and docs/schema.txt. With --check it
// writes nothing and fails if one of the first two is out of date. docs/schema.txt needs a PostgreSQL, so
// test/integration/schema.test.ts compares it.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { writeClientTypes } from "./client-types.mjs";
import { describeSchema } from "./schema.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const check = process.argv.includes("--check");
const aside = mkdtempSync(join(tmpdir(), "lockstep-generate-"));
let stale = 0;

try {
  generateTypes(join(aside, "proto"));
  writeClientTypes(join(root, "proto", "lockstep", "v1"), join(aside, "proto"));
  compare(join(aside, "proto"), join(root, "src", "generated"));
  await generateConfiguration();
  if (!check) await generateSchema(join(aside, "database"));
} finally {
  rmSync(aside, { recursive: true, force: true });
}
if (check && stale > 0) {
  process.stderr.write(`${stale} generated files are not up to date; run \`npm run generate\`.\n`);
  process.exit(1);
}

function generateTypes(outDir) {
  const options = ["--longs=String", "--enums=String", "--defaults", "--oneofs", "--grpcLib=@grpc/grpc-js"];
  const files = ["lockstep/v1/sync.proto", "lockstep/v1/cluster.proto"];
  const args = [...options, "--importFileExtension=.ts", "--includeDirs=proto", `--outDir=${outDir}`, ...files];
  const made = spawnSync("npx", ["--no-install", "proto-loader-gen-types", ...args], { cwd: root, encoding: "utf8" });
  if (made.status !== 0) throw new Error(`proto-loader-gen-types failed: ${made.stderr}`);
}

function compare(from, to) {
  const made = filesIn(from);
  const kept = filesIn(to);
  for (const [name, text] of made) {
    if (kept.get(name) === text) continue;
    stale += 1;
    report(join(to, name));
  }
  for (const name of kept.keys()) {
    if (made.has(name)) continue;
    stale += 1;
    report(join(to, name));
  }
  if (check || stale === 0) return;
  rmSync(to, { recursive: true, force: true });
  spawnSync("cp", ["-R", from, to]);
}

async function generateConfiguration() {
  const built = join(root, "dist", "settings", "configuration-page.js");
  const { configurationPage } = await import(built);
  keepUpToDate(join(root, "docs", "configuration.md"), configurationPage());
}

async function generateSchema(dir) {
  const { startPostgres } = await import(join(root, "dist", "demo", "postgres.js"));
  const { migrate } = await import(join(root, "dist", "store", "database", "migrate.js"));
  mkdirSync(dir);
  const server = await startPostgres({ dir, env: process.env, isRoot: process.getuid() === 0 });
  const client = new pg.Client({ connectionString: server.url });
  try {
    await migrate(server.url);
    await client.connect();
    keepUpToDate(join(root, "docs", "schema.txt"), await describeSchema(client));
  } finally {
    await client.end();
    await server[Symbol.asyncDispose]();
    rmSync(server.directory, { recursive: true, force: true });
  }
}

function keepUpToDate(path, wanted) {
  if (readText(path) === wanted) return;
  stale += 1;
  report(path);
  if (!check) writeFileSync(path, wanted);
}

function report(path) {
  process.stderr.write(`${check ? "not up to date" : "written"}: ${path}\n`);
}

function filesIn(directory) {
  const files = new Map();
  for (const entry of listing(directory)) {
    if (entry.isFile()) {
      const path = join(entry.parentPath ?? entry.path, entry.name);
      files.set(path.slice(directory.length + 1), readFileSync(path, "utf8"));
    }
  }
  return files;
}

function listing(directory) {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true });
  } catch {
    return [];
  }
}

function readText(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

// Checks proto/ with buf: the style, and that clients of the landed protocol still work (buf.yaml has the rules).
// proto/landed.txtpb is the protocol that has landed, as text that git merges. `npm run generate` brings it up to date,
// unless a change breaks clients. `node scripts/protocol.mjs --check` looks only.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { argv, exit, stderr } from "node:process";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const LANDED = join(root, "proto", "landed.txtpb");
const BREAKS =
  "The change of proto/ breaks clients. Add fields and RPCs, and change none. If clients must break, remove proto/landed.txtpb, " +
  "run `npm run generate`, and tell users in CHANGELOG.md.\n";

const program = findBuf();
if (program === undefined) {
  stderr.write("lockstep: buf is not installed, so proto/ is not checked; `npm ci` installs it.\n");
  exit(0);
}
if (!buf("lint")) exit(1);
if (existsSync(LANDED) && !buf("breaking", "--against", LANDED)) {
  stderr.write(BREAKS);
  exit(1);
}
if (!argv.includes("--check")) keepLanded();

function findBuf() {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("@bufbuild/buf/package.json")), "bin", "buf");
  } catch (error) {
    if (error.code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

/** Runs buf, and returns whether it succeeded. */
function buf(...args) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (error) throw error;
  return status === 0;
}

function keepLanded() {
  const aside = mkdtempSync(join(dirname(LANDED), "..", ".landed-"));
  const made = join(aside, "landed.txtpb");
  try {
    if (!buf("build", "--exclude-source-info", "--output", made)) exit(1);
    if (existsSync(LANDED) && readFileSync(LANDED, "utf8") === readFileSync(made, "utf8")) return;
    renameSync(made, LANDED);
    stderr.write(`written: ${LANDED}\n`);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

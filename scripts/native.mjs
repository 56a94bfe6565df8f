// Compiles native/ to dist/native/ARCHITECTURE/lockstep-git, with Node's names of the architectures. A package of npm
// has one for each of them, so nobody needs a compiler to install it. `node scripts/native.mjs` compiles for this machine,
// `node scripts/native.mjs x64 arm64` for those that are named, `node scripts/native.mjs --all` for all of the package.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { arch } from "node:os";
import { dirname, join } from "node:path";
import { argv, env, exit, stderr } from "node:process";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const native = join(root, "native");
const FLAGS = ["-O2", "-Wall", "-Wextra", "-Werror"];
/** The compilers of Debian for another architecture (packages gcc-aarch64-linux-gnu and gcc-x86-64-linux-gnu). */
const CROSS_COMPILERS = { x64: "x86_64-linux-gnu-gcc", arm64: "aarch64-linux-gnu-gcc" };

/** The architectures of the package. */
export const ARCHITECTURES = Object.keys(CROSS_COMPILERS);

/** Returns the place of the program for an architecture. */
export function nativeProgram(architecture) {
  return join(root, "dist", "native", architecture, "lockstep-git");
}

/** Compiles the program for an architecture unless it is newer than its sources. Returns an error in words, or nothing. */
export function compileNative(architecture) {
  const files = readdirSync(native).map((name) => join(native, name));
  const sources = files.filter((path) => path.endsWith(".c"));
  const program = nativeProgram(architecture);
  if (existsSync(program) && files.every((path) => statSync(program).mtimeMs >= statSync(path).mtimeMs))
    return undefined;
  mkdirSync(dirname(program), { recursive: true });
  rmSync(program, { force: true });
  const compiler = architecture === arch() ? (env.CC ?? "cc") : CROSS_COMPILERS[architecture];
  let said = "";
  // The program is linked statically if the C library allows it. The dynamic loader takes half of the start-up time.
  for (const flags of [["-static"], []]) {
    const built = spawnSync(compiler, [...FLAGS, ...flags, "-o", `${program}.new`, ...sources], { encoding: "utf8" });
    if (built.status === 0) return renameSync(`${program}.new`, program);
    if (built.error) return `there is no compiler "${compiler}"`;
    said = built.stderr;
  }
  return `the compiler "${compiler}" failed:\n${said}`;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const named = argv.slice(2);
  const wanted = named.includes("--all") ? ARCHITECTURES : named.length > 0 ? named : [arch()];
  const complaints = wanted.map((each) => [each, compileNative(each)]).filter(([, complaint]) => complaint);
  for (const [architecture, complaint] of complaints)
    stderr.write(`lockstep: the native program for ${architecture} is missing, because ${complaint}.\n`);
  if (complaints.length > 0) exit(1);
}

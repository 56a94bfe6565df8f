// The tarball of `npm pack`: another user installs it, with nothing of this checkout, and runs it and its client.
import { type SpawnSyncOptions, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { arch, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
/** The numbers of the processors in an ELF header. */
const MACHINES = { x64: 62, arm64: 183 } as const;
/** What npm says when the registry does not answer, or does not let this user in. */
const NO_REGISTRY =
  /npm error code (E401|E403|E5\d\d|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|\w*CERT\w*|ERR_SOCKET\w*)/;

let folder: string;
let tarball: string;
let prefix: string;
/** Why the registry's packages are not to be had. */
let missing: string | undefined;

beforeAll(() => {
  // The user in question needs a way to it: a temporary directory may be one that only its owner enters.
  folder = mkdtempSync(join(tmpdir(), "lockstep-package-"));
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, "home"));
  if (isRoot) chownSync(join(folder, "home"), NOBODY, NOBODY);
  prefix = join(folder, "home", "installed");
  // As `prepack` does. The build is there already, and other tests use it, so its scripts do not run.
  run("node_modules/.bin/tsc", ["-p", "tsconfig.types.json"], { cwd: ROOT });
  spawnSync(process.execPath, ["scripts/native.mjs", "--all"], { cwd: ROOT });
  const packed = run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], { cwd: ROOT });
  tarball = join(folder, JSON.parse(packed)[0].filename);
  chmodSync(tarball, 0o644);
  if (asOther("node", ["--eval", `fs.accessSync(${JSON.stringify(tarball)})`]).status !== 0) {
    missing = `another user cannot start ${process.execPath}, or cannot reach ${folder}`;
    return;
  }
  const { status, stderr } = asOther("npm", [
    "install",
    "--global",
    "--prefix",
    prefix,
    "--no-audit",
    "--no-fund",
    tarball,
  ]);
  if (status === 0) return;
  if (!NO_REGISTRY.test(stderr)) throw new Error(`npm install failed: ${stderr}`);
  missing = `npm's registry does not answer: ${stderr.split("\n", 2).join("; ")}`;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(program: string, args: string[], options: SpawnSyncOptions): string {
  const { status, stdout, stderr } = spawnSync(program, args, { ...options, encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} failed: ${stdout}${stderr}`);
  return String(stdout);
}

/** The environment of an ordinary user: nothing of this checkout is on its paths. */
function environment(): Record<string, string> {
  const outside = (process.env.PATH ?? "").split(":").filter((part) => !part.includes("node_modules"));
  const setting = (name: string) => run("npm", ["config", "get", name], { cwd: "/" }).trim();
  const authorities = setting("cafile");
  return {
    PATH: [dirname(process.execPath), ...outside].join(":"),
    HOME: join(folder, "home"),
    TMPDIR: join(folder, "home"),
    npm_config_registry: setting("registry"),
    ...(authorities !== "null" && { npm_config_cafile: authorities }),
    ...(process.env.NODE_EXTRA_CA_CERTS && { NODE_EXTRA_CA_CERTS: process.env.NODE_EXTRA_CA_CERTS }),
  };
}

function options() {
  const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  return { cwd: join(folder, "home"), env: environment(), ...user };
}

function asOther(program: string, args: string[]) {
  return spawnSync(program, args, { ...options(), encoding: "utf8" });
}

const installed = (...path: string[]) => join(prefix, "lib", "node_modules", "git-lockstep", ...path);

describe("the package of npm", () => {
  it.for(Object.entries(MACHINES))("has a static native program for %s", ([architecture, machine], { skip }) => {
    run("tar", ["-xzf", tarball, "-C", folder], { cwd: "/" });
    const program = join(folder, "package", "dist", "native", architecture, "lockstep-git");
    skip(!existsSync(program) && architecture !== arch(), `there is no cross compiler for ${architecture} here`);
    const elf = readFileSync(program);
    expect(elf.subarray(0, 4).toString("latin1")).toBe("\x7fELF");
    expect(elf.readUInt16LE(18)).toBe(machine);
    // A program that needs a loader names it in a segment of type 3 (PT_INTERP).
    const [at, size, count] = [Number(elf.readBigUInt64LE(32)), elf.readUInt16LE(54), elf.readUInt16LE(56)];
    const segments = Array.from({ length: count }, (_, index) => elf.readUInt32LE(at + index * size));
    expect(segments).not.toContain(3);
  });

  it("runs for the user who installed it, with the native program, and without what only developers need", ({
    skip,
  }) => {
    skip(missing !== undefined, missing);
    const { stdout, stderr } = asOther(join(prefix, "bin", "lockstep"), ["version"]);
    expect({ stdout, stderr }).toEqual({
      stdout: expect.stringMatching(/^lockstep \d+\.\d+\.\d+\ngit \d/),
      stderr: "",
    });
    for (const name of ["typescript", "esbuild", "vitest"])
      expect(existsSync(installed("node_modules", name))).toBe(false);
    expect(existsSync(installed("dist", "native", arch(), "lockstep-git"))).toBe(true);
    const program = `console.log((await import("${installed("dist", "installation.js")}")).IN_CLONE)`;
    const said = asOther("node", ["--input-type=module", "-e", program]).stdout;
    // So no hint says `npx lockstep`, which would ask the registry for another package.
    expect(said).toBe("false\n");
  });

  it("has a demo whose devices take a push", async ({ skip }) => {
    skip(missing !== undefined, missing);
    const demo = spawn(join(prefix, "bin", "lockstep"), ["demo", "--json", "--no-try"], options());
    const said = text(demo.stderr);
    try {
      const [line] = await Promise.race([once(demo.stdout, "data"), once(demo, "exit").then(() => [undefined])]);
      if (line === undefined) throw new Error(`the demo ended: ${await said}`);
      const [first, , last] = JSON.parse(String(line)).devices.map(
        (device: { gate: { url: string } }) => device.gate.url,
      );
      const git = (...args: string[]) =>
        asOther("git", ["-c", "user.name=x", "-c", "user.email=x@example.org", ...args]);
      git("init", "--quiet", "tree");
      git("-C", "tree", "commit", "--quiet", "--allow-empty", "-m", "x");
      expect(git("-C", "tree", "push", "--quiet", `${first}/demo.git`, "HEAD:refs/heads/main")).toMatchObject({
        status: 0,
      });
      const commit = git("-C", "tree", "rev-parse", "HEAD").stdout.trim();
      expect(git("ls-remote", `${last}/demo.git`, "refs/heads/main").stdout).toContain(commit);
    } finally {
      demo.kill("SIGINT");
      await once(demo, "close");
    }
    expect(demo.exitCode).toBe(0);
  });

  it("has a client with types: every example of docs/client.md compiles under --strict", ({ skip }) => {
    skip(missing !== undefined, missing);
    const program = join(folder, "program");
    mkdirSync(join(program, "node_modules"), { recursive: true });
    symlinkSync(installed(), join(program, "node_modules", "git-lockstep"));
    writeFileSync(join(program, "package.json"), '{ "type": "module" }');
    const blocks = [...readFileSync(join(ROOT, "docs", "client.md"), "utf8").matchAll(/^```ts\n(.*?)^```/gms)];
    expect(blocks.length).toBeGreaterThan(4);
    blocks.forEach(([, block = ""], index) => void writeFileSync(join(program, `example-${index}.ts`), block));
    writeFileSync(join(program, "wrong.ts"), WRONG);
    const config = { strict: true, noEmit: true, module: "nodenext", target: "es2022", types: [] };
    writeFileSync(join(program, "tsconfig.json"), JSON.stringify({ compilerOptions: config }));
    expect(run(join(ROOT, "node_modules", ".bin", "tsc"), ["-p", program], { cwd: program })).toBe("");
  });

  it("is gone after npm uninstall", ({ skip }) => {
    skip(missing !== undefined, missing);
    expect(asOther("npm", ["uninstall", "--global", "--prefix", prefix, "git-lockstep"])).toMatchObject({ status: 0 });
    expect(existsSync(installed())).toBe(false);
    expect(existsSync(join(prefix, "bin", "lockstep"))).toBe(false);
  });
});

/** The types refuse what the protocol does not have. */
const WRONG = `
import { Client, type GetVersionResponse } from "git-lockstep";
const client = new Client({ socket: "lockstep.sock" });
// @ts-expect-error there is no such RPC
await client.getNothing({});
// @ts-expect-error the request has no such field
await client.getVersion({ repo: "team/app" });
const answer: GetVersionResponse = await client.getVersion({ repository: "team/app" });
// @ts-expect-error versions are strings
const version: number = answer.version;
export { version };
`;

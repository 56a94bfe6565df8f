// Generated requests, environments and frames for the native shim, built with the sanitizers of addresses and of
// undefined behaviour. Many by hand:
// LOCKSTEP_FUZZ_RUNS=5000 npx vitest run --project integration --testTimeout 0 fuzz-shim
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseSshCommand } from "../../src/shim/ssh-command.ts";
import { bytes, fuzz, fuzzCount, oddText, outcome, textOf } from "../support/fuzz.ts";
import { encodeFrame } from "../support/hook-frames.ts";

const NATIVE = join(import.meta.dirname, "..", "..", "native");
const COMPILER = process.env.CC ?? "cc";
const FLAGS = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
/** So long may one run take. The shim waits for nothing here, so it hangs if it takes longer. */
const RUN_MS = 60_000;
const AT_ONCE = 4;

const dir = await realpath(await mkdtemp(join(tmpdir(), "fuzz-shim-")));
const program = join(dir, "bin", "lockstep-git");
await mkdir(join(dir, "bin"));
await mkdir(join(dir, "root", "app.git"), { recursive: true });
await mkdir(join(dir, "empty"));
const sources = (await readdir(NATIVE)).filter((name) => name.endsWith(".c")).map((name) => join(NATIVE, name));
const built = spawnSync(COMPILER, [...FLAGS, "-o", program, ...sources], { encoding: "utf8" });
const hasSanitizers = built.status === 0;
if (!hasSanitizers) {
  console.warn(`the native shim is not tested with generated input: ${COMPILER} ${FLAGS.join(" ")} does not work here`);
  await rm(dir, { recursive: true });
}

interface Case {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  /** What the sidecar says after the hello. */
  readonly answer: readonly Buffer[];
}

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
  /** The hello, if one came. */
  readonly hello: ReadonlyMap<string, string> | undefined;
}

const answers = new Map<string, readonly Buffer[]>();
const hellos = new Map<string, ReadonlyMap<string, string>>();

/** Reads the hello of a shim, and says what its case wants. The id of the case is that of the request. */
function playSidecar(): Server {
  return createServer({ allowHalfOpen: true }, (socket) => {
    let heard = Buffer.alloc(0);
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      const before = heard;
      heard = Buffer.concat([heard, chunk]);
      const isWhole = (some: Buffer) => some.length >= 5 && some.length >= 5 + some.readUInt32BE(1);
      if (!isWhole(heard) || isWhole(before)) return;
      const entries = heard.toString("utf8", 5, 5 + heard.readUInt32BE(1)).split("\0");
      const hello = new Map(entries.map((each) => [each.replace(/=.*/s, ""), each.replace(/^[^=]*=/, "")]));
      const id = hello.get("env.LOCKSTEP_REQUEST_ID") ?? "";
      hellos.set(id, hello);
      for (const each of answers.get(id) ?? []) socket.write(each);
      socket.end();
    });
  });
}

let cases = 0;

/**
 * Runs the shim once. Like git, a shell starts it with pipes, in a directory of its own: a hook kills the process that
 * has started it. No program is in PATH, so that no generated name starts one.
 */
async function run({ command, env, answer }: Case, watched: Buffer = Buffer.alloc(0)): Promise<Ended> {
  cases += 1;
  const id = `case-${cases}`;
  const cwd = join(dir, id);
  await mkdir(cwd);
  await writeFile(join(cwd, "lockstep.watched"), watched);
  answers.set(id, answer);
  const settings = { LOCKSTEP_SOCKET_DIR: dir, LOCKSTEP_ROOT: join(dir, "root"), LOCKSTEP_REQUEST_ID: id };
  const sanitizers = {
    ASAN_OPTIONS: `detect_leaks=1:log_path=${join(dir, "report")}`,
    UBSAN_OPTIONS: "print_stacktrace=1",
  };
  const line = `/bin/cat | { ${program} ${command}; echo "ended $?" >&2; } | { /bin/cat; echo "all ended" >&2; }`;
  const options = { cwd, env: { ...env, ...settings, ...sanitizers, PATH: join(dir, "empty") }, timeout: RUN_MS };
  const child: ChildProcess = spawn("/bin/sh", ["-c", line], { ...options, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin?.on("error", () => {});
  child.stdin?.write("0000");
  child.stdout?.resume();
  let said = "";
  child.stderr?.on("data", (chunk) => {
    said += chunk;
    // The pipe of standard input stays open until the shim has ended, as that of git does.
    if (said.includes("all ended")) child.stdin?.end();
  });
  const timer = setTimeout(() => child.stdin?.end(), RUN_MS / 2);
  const [code] = await once(child, "close");
  clearTimeout(timer);
  const ended = /ended (\d+)\n/.exec(said)?.[1];
  const hello = hellos.get(id);
  answers.delete(id);
  hellos.delete(id);
  await rm(cwd, { recursive: true });
  return { code: ended === undefined ? code : Number(ended), stderr: said, hello };
}

/** Works through generated cases, several at a time. */
async function eachOf<T>(arbitrary: fc.Arbitrary<T>, few: number, work: (input: T) => Promise<void>): Promise<void> {
  const { seed } = fuzz();
  const left = fc.sample(arbitrary, { numRuns: fuzzCount(few), ...(seed !== undefined && { seed }) });
  const worker = async () => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) await work(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** An argument of a program holds no NUL, and arrives as UTF-8. */
const plain = (given: string) => Buffer.from(given.replaceAll("\0", "")).toString();
const argument = (maxLength?: number) => oddText(maxLength).map((each) => plain(each));
const request = fc.oneof(
  textOf("git-", "git ", "upload-pack", "receive-pack", " ", "'", "'\\''", "'\\!'", "a", ";", argument(4)).map((each) =>
    plain(each),
  ),
  fc
    .tuple(fc.constantFrom("git-upload-pack", "git receive-pack"), argument(100))
    .map(([git, text]) => `${git} '${text.replace(/['!]/g, "'\\$&'")}'`),
);
const VARIABLES = [
  "REMOTE_ADDR",
  "SSH_CONNECTION",
  "USER",
  "GL_USER",
  "GIT_PROTOCOL",
  "GIT_NAMESPACE",
  "LOCKSTEP_PUSHER",
  "LOCKSTEP_PUSH_REFS",
];
const long = fc.constant("x".repeat(120_000));
const environment = fc.oneof(
  { weight: 9, arbitrary: fc.dictionary(fc.constantFrom(...VARIABLES, "LOCKSTEP_CLIENT"), argument()) },
  fc.record(Object.fromEntries([...VARIABLES, "LOGNAME", "GL_ID", "REMOTE_USER"].map((name) => [name, long]))),
);
const place = fc.oneof(
  fc.constantFrom(
    join(dir, "root", "app.git"),
    join(dir, "root"),
    dir,
    "/",
    `/${"a/".repeat(3_000)}`,
    "x".repeat(1 << 20),
  ),
  oddText(),
);
/** Programs that a hook may be told to run: none that does anything. */
const hooks = fc.constantFrom("/bin/true\0", "/bin/false\0a\0\0b\0", "/no/such\0", "\0", "\0\0\0", "", "/bin/true");
const exit = fc.oneof(fc.constantFrom("0", "1", "7", "255", "256", "999", "", "-1", "+1", "0000", "1\0"), oddText(4));
const frame = fc.oneof(
  fc.tuple(fc.constantFrom("O", "E"), bytes(300)).map(([kind, payload]) => encodeFrame(kind, payload)),
  fc
    .tuple(fc.constantFrom("O", "E"), fc.constant(Buffer.alloc(1 << 20, "z")))
    .map(([kind, all]) => encodeFrame(kind, all)),
  place.map((path) => encodeFrame("P", path)),
  hooks.map((payload) => encodeFrame("U", payload)),
  exit.map((code) => encodeFrame("X", code)),
  fc.tuple(fc.constantFrom(..."HIR?\0"), bytes(20)).map(([kind, payload]) => encodeFrame(kind, payload)),
  // No U: it would run what its payload names.
  bytes(30).map((each) => (each[0] === 85 ? Buffer.from("?") : each)),
  fc.nat(0xffff_ffff).map((length) => Buffer.from(`45${length.toString(16).padStart(8, "0")}`, "hex")),
);
const answer = fc.array(frame, { maxLength: 6 });
const quick = fc.constantFrom(
  "lockstep-upload-pack /app.git",
  "lockstep-receive-pack app.git",
  "lockstep-shell --device repo001 --key SHA256:x",
  `authorized-keys ${dir} ssh-ed25519 AAAA`,
);

describe.runIf(hasSanitizers)("the native shim under the sanitizers", () => {
  let servers: Server[] = [];
  beforeAll(async () => {
    servers = [playSidecar(), playSidecar()];
    await Promise.all(
      servers.map((server, index) =>
        once(server.listen(join(dir, index === 0 ? "hook.sock" : "peer.sock")), "listening"),
      ),
    );
  });
  afterAll(async () => {
    for (const server of servers) server.close();
    await rm(dir, { recursive: true, force: true });
  });

  /** Expects no process of the shim to have left a report. */
  async function expectNoReport(): Promise<void> {
    const reports = (await readdir(dir)).filter((name) => name.startsWith("report"));
    const said = await Promise.all(
      reports.map(async (name) => (await readFile(join(dir, name), "utf8")).slice(0, 3_000)),
    );
    expect(said).toEqual([]);
  }

  it("reads every command of ssh as the Node shim does", async () => {
    await eachOf(fc.tuple(request, environment), 60, async ([asked, env]) => {
      const refusal = [encodeFrame("E", "no\n"), encodeFrame("X", "7")];
      const ended = await run({
        command: "lockstep-shell",
        env: { ...env, SSH_ORIGINAL_COMMAND: asked },
        answer: refusal,
      });
      const { value } = outcome(() => parseSshCommand(asked));
      const isTooLong = ended.stderr.includes("shorten it");
      const expected = value === undefined || isTooLong ? undefined : [value.command, value.directory];
      expect([asked, ended.hello && [ended.hello.get("op"), ended.hello.get("dir")]]).toEqual([asked, expected]);
      expect(ended.code).toBe(expected === undefined ? 1 : 7);
    });
    await expectNoReport();
  });

  it("ends well whatever a sidecar says, for git and for other devices", async () => {
    await eachOf(fc.tuple(quick, environment, answer), 80, async ([command, env, said]) => {
      const { code, stderr } = await run({ command, env, answer: said });
      expect([command, code, stderr]).toEqual([command, expect.any(Number), expect.stringContaining("all ended")]);
      expect(code).toBeLessThan(256);
    });
    await expectNoReport();
  });

  it("ends well whatever a sidecar says to the hook, and whatever lies in its directory", async () => {
    const listed = fc.oneof(
      bytes(300),
      fc.array(argument(50)).map((names) => Buffer.from(names.map((each) => `${each}\0`).join(""))),
    );
    await eachOf(fc.tuple(environment, answer, listed), 40, async ([env, said, watched]) => {
      const { code } = await run({ command: "proc-receive", env, answer: said }, watched);
      expect(code).not.toBeNull();
    });
    await expectNoReport();
  });
});

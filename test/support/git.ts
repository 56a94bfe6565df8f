// A temporary directory with stock git: its own home, and none of the machine's configuration.
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buffer, text } from "node:stream/consumers";

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Buffer;
}

/** The end of a command. `stdout` is `bytes` decoded as UTF-8. */
export interface RunResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly bytes: Buffer;
}

export interface GitSandbox extends AsyncDisposable {
  /** The directory, without symbolic links. */
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs git to its end and returns the result, also if git fails. */
  run(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Runs git and returns its output without the last line feed. Throws if git fails. */
  git(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Starts git. The caller ends the process. */
  start(args: readonly string[], options?: RunOptions): ChildProcess;
  /** Makes an empty bare repository with HEAD on `main` at `path` below the directory. Returns its full path. */
  bare(path: string): Promise<string>;
  /** Makes an empty repository with a work tree at `path` below the directory. Returns its full path. */
  workTree(path: string): Promise<string>;
  /** Writes the files, commits everything in the work tree, and returns the commit's id. */
  commit(workTree: string, message: string, files?: Readonly<Record<string, string | Buffer>>): Promise<string>;
}

/** Makes a temporary directory for git. Disposal removes it. */
export async function gitSandbox(): Promise<GitSandbox> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), "lockstep-git-")));
  const env = cleanEnvironment(dir);

  const start: GitSandbox["start"] = (args, options = {}) =>
    spawn("git", args, { cwd: options.cwd ?? dir, env: { ...env, ...options.env }, stdio: ["pipe", "pipe", "pipe"] });

  const run: GitSandbox["run"] = async (args, options = {}) => {
    const child = start(args, options);
    // A command that does not read its input closes it early, which gives an error.
    child.stdin?.on("error", () => {}).end(options.input ?? "");
    const ended = new Promise<Pick<RunResult, "code" | "signal">>((resolve, reject) => {
      child.once("error", reject).once("close", (code, signal) => resolve({ code, signal }));
    });
    const [bytes, stderr, ending] = await Promise.all([buffer(child.stdout!), text(child.stderr!), ended]);
    return { ...ending, bytes, stderr, stdout: bytes.toString() };
  };

  const git: GitSandbox["git"] = async (args, options) => {
    const { code, signal, stdout, stderr } = await run(args, options);
    if (code !== 0) throw new Error(`git ${args.join(" ")} ended with ${code ?? signal}: ${stderr}`);
    return stdout.replace(/\n$/, "");
  };

  async function init(path: string, ...options: string[]): Promise<string> {
    const place = join(dir, path);
    await git(["init", "--quiet", "--initial-branch=main", ...options, place]);
    return place;
  }

  return {
    dir,
    env,
    start,
    run,
    git,
    bare: (path) => init(path, "--bare"),
    workTree: (path) => init(path),
    async commit(workTree, message, files = {}) {
      for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(join(workTree, name)), { recursive: true });
        await writeFile(join(workTree, name), content);
      }
      await git(["add", "--all"], { cwd: workTree });
      await git(["commit", "--quiet", "--allow-empty", `--message=${message}`], { cwd: workTree });
      return git(["rev-parse", "HEAD"], { cwd: workTree });
    },
    async [Symbol.asyncDispose]() {
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function cleanEnvironment(home: string): Record<string, string> {
  const person = { NAME: "Ada", EMAIL: "ada@example.com" };
  return {
    PATH: process.env.PATH ?? "/usr/bin:/bin",
    HOME: home,
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_AUTHOR_NAME: person.NAME,
    GIT_AUTHOR_EMAIL: person.EMAIL,
    GIT_COMMITTER_NAME: person.NAME,
    GIT_COMMITTER_EMAIL: person.EMAIL,
  };
}

/**
 * Returns the other processes that work in `dir` or name it on their command line, as `pid command`. Linux only. Many
 * tests ask this when they end. Reading /proc without awaiting takes a sixth of the processor time.
 */
export async function processesAt(dir: string): Promise<string[]> {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  return pids.flatMap((pid) => {
    // A process may end while we read its files.
    const cwd = orNothing(() => readlinkSync(`/proc/${pid}/cwd`));
    const command = orNothing(() => readFileSync(`/proc/${pid}/cmdline`, "utf8"));
    const here = cwd === dir || cwd.startsWith(`${dir}/`) || command.includes(dir);
    // A zombie has no command line.
    return here && command !== "" ? [`${pid} ${command.replaceAll("\0", " ").trim()}`] : [];
  });
}

function orNothing(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}

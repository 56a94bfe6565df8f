// Checks that git finds our hooks: proc-receive, which hands pushes to the sidecar, and in replicas with aliases
// pre-receive. If an operator has set core.hooksPath in any configuration, git looks for the hooks there.
import { execFile } from "node:child_process";
import { access, constants, readFile } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { promisify } from "node:util";
import { here } from "../git/command/build.ts";
import type { Programs } from "../git/command/command.ts";
import { isAliasHook } from "../git/refs/alias-hook.ts";
import { STATE_DIR } from "../git/root/root-record.ts";
import type { Look } from "./finding.ts";
import { replicasBelow } from "./replicas.ts";

const run = promisify(execFile);

/** The check runs one git for each replica, so more replicas would make the doctor slow. */
const REPLICAS_LOOKED_AT = 50;

/** The user of the git server: PATH, HOME, and the variables that choose a configuration. */
type Person = Programs & Readonly<Record<string, string>>;

interface HooksPath {
  readonly file: string;
  readonly path: string;
}

/** Reads the configuration of the user who runs the doctor. That must be the user of the git server. */
export const lookAtHooks: Look = async (config, { env }) => {
  const { root } = config;
  if (root === undefined) return "no root to look below";
  const own: Person = { path: env.PATH ?? "", home: env.HOME ?? "/", ...overrides(env) };
  const everywhere = await hooksPath("/", own);
  if (everywhere !== undefined && isAbsolute(everywhere.path) && !(await isRunnable(everywhere.path)))
    return { missing: sentence(everywhere, everywhere.path, root) };
  for (const replica of await replicasBelow(root, REPLICAS_LOOKED_AT)) {
    const found = await hooksPath(replica, { ...own, GIT_DIR: replica });
    const directory = found && resolve(replica, found.path);
    if (found && directory !== undefined && !(await isRunnable(directory)))
      return { missing: sentence(found, directory, root) };
    if (found && directory !== undefined && (await lacksAliasHook(replica, directory)))
      return { warning: aliasSentence(found, directory, root, replica) };
  }
  return everywhere === undefined ? "in each replica" : everywhere.path;
};

function overrides(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      (entry[0].startsWith("GIT_CONFIG") || entry[0] === "XDG_CONFIG_HOME") && entry[1] !== undefined,
  );
  return Object.fromEntries(entries);
}

function sentence({ file, path }: HooksPath, directory: string, root: string): string {
  const shim = join(root, STATE_DIR, "bin", "lockstep-git");
  return (
    `core.hooksPath is ${path} (${file}), and git finds no proc-receive there, so that every push is refused; ` +
    `run \`ln -s ${shim} ${join(directory, "proc-receive")}\`, or unset core.hooksPath.`
  );
}

/** Returns true for a replica that has our pre-receive, while git runs hooks of another directory, where it is not. */
async function lacksAliasHook(replica: string, directory: string): Promise<boolean> {
  const read = (folder: string) => readFile(join(folder, "pre-receive"), "utf8").catch(() => "");
  // A hook of the operator's may start ours.
  return isAliasHook(await read(join(replica, "hooks"))) && !/\bpre-receive\b/.test(await read(directory));
}

function aliasSentence({ file, path }: HooksPath, directory: string, root: string, replica: string): string {
  const shim = join(root, STATE_DIR, "bin", "lockstep-git");
  return (
    `core.hooksPath is ${path} (${file}), and the pre-receive there does not start ours, which ${replica} needs for its ` +
    `aliases. Let ${join(directory, "pre-receive")} end with \`exec ${shim} pre-receive\`, and the path of a hook of your own after it.`
  );
}

const QUESTION = ["config", "--null", "--show-origin", "--type=path", "--get", "core.hooksPath"] as const;

async function hooksPath(cwd: string, own: Person): Promise<HooksPath | undefined> {
  const { path: _, home: __, ...variables } = own;
  const { args, env } = here(own, { kind: "user", args: QUESTION, variables }, cwd);
  const { stdout } = await run("git", [...args], { cwd, env }).catch((error: { code?: unknown }) => {
    // git exits with 1 if the setting is absent. A missing git is the subject of another check.
    if (error.code === 1 || error.code === "ENOENT") return { stdout: "" };
    throw error;
  });
  const [origin = "", path = ""] = stdout.split("\0");
  return path === "" ? undefined : { file: origin.replace(/^file:/, ""), path };
}

async function isRunnable(directory: string): Promise<boolean> {
  return await access(join(directory, "proc-receive"), constants.X_OK).then(
    () => true,
    () => false,
  );
}

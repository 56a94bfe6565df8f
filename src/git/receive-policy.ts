// The checks of a push that git skips under proc-receive. With that hook, receive-pack ignores receive.denyDeletes and
// the like, and does not run the update hook (git's builtin/receive-pack.c, update()).
//
// The git that received the push reads configuration that only it can see: of its user, its machine and its
// environment. So the sidecar asks that git, through the hook. It asks again only when the hook sends another stamp
// (settings-watch.ts).
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { LockstepError } from "../errors.ts";
import type { LocalArguments } from "./command/operations.ts";
import { type GitContext, gitBytes } from "./process.ts";
import { settingsFiles, watchSettings } from "./settings-watch.ts";

export type DenyAction = "refuse" | "warn" | "ignore";

/** The settings of git that decide which ref updates a push may make. */
export interface ReceivePolicy {
  readonly denyDeletes: boolean;
  readonly denyNonFastForwards: boolean;
  readonly denyDeleteCurrent: DenyAction;
  readonly denyCurrentBranch: DenyAction;
  /** Path of the update hook; undefined if it cannot be run. */
  readonly updateHook: string | undefined;
  /** The folder in which git looks for hooks. */
  readonly hooks: string;
}

/** The git server, seen through the hook of one push. */
export interface GitServer {
  /** Changes whenever the configuration that the server's git reads may have changed. undefined: not known. */
  readonly settings: string | undefined;
  /** Runs a program in the repository and in the server's environment; returns its exit code. */
  runHook(path: string, args: readonly (string | Buffer)[]): Promise<number>;
}

/**
 * A shell script. Each part of its output ends with a NUL: the variables that say where configuration lies, the update
 * hook, and the settings with their origins.
 */
const QUESTION = `umask 077
{
  printf '%s\\0' "$HOME" "$XDG_CONFIG_HOME" "$GIT_CONFIG_GLOBAL" "$GIT_CONFIG_SYSTEM"
  hook=$(git rev-parse --git-path hooks/update) || exit 2
  printf '%s\\0' "$hook"
  if test -f "$hook" && test -x "$hook"; then printf 'runs\\0'; else printf '\\0'; fi
  git config --null --show-origin --get-regexp '^(receive[.]deny.*|core[.]hookspath|include[.]path|includeif[.].*)$'
  test $? -le 1
} >"$1"`;

/**
 * An answer counts for this long. Then settings in files that no stamp covers take effect, such as those of a git that
 * was built with its own prefix.
 */
const BELIEVED_MS = 60_000;
/** Stamps kept for each repository: its front ends may have different environments. */
const STAMPS_KEPT = 8;

interface Known {
  readonly policy: ReceivePolicy;
  readonly askedAt: number;
}

/**
 * Keeps the receive policy of each repository. While the configuration does not change, a push starts no process for
 * it.
 */
export class ReceivePolicies {
  readonly #answers: string;
  readonly #known = new Map<string, Map<string, Known>>();
  #swept: Promise<void> | undefined;

  /** `stateDir`: the root's own directory. The git server's user may write there too. */
  constructor(stateDir: string) {
    this.#answers = join(stateDir, "asked");
  }

  /**
   * Returns the policy of the git that received a push. Throws GIT_FAILED when that git cannot be asked, since its
   * refusals are then unknown.
   */
  async read(gitDir: string, server: GitServer): Promise<ReceivePolicy> {
    const { settings } = server;
    const known = settings === undefined ? undefined : this.#known.get(gitDir)?.get(settings);
    if (known !== undefined && performance.now() - known.askedAt < BELIEVED_MS) return known.policy;
    const askedAt = performance.now();
    const { policy, files } = interpret(gitDir, await this.#ask(server));
    // The stamp covers these files. If this call adds a file, the stamp changes and the next push asks again.
    await watchSettings(gitDir, files);
    if (settings !== undefined) this.#remember(gitDir, settings, { policy, askedAt });
    return policy;
  }

  async #ask(server: GitServer): Promise<string> {
    // Removes answers that a killed sidecar left. If that fails, the push goes on.
    this.#swept ??= rm(this.#answers, { recursive: true, force: true }).catch(() => {});
    await this.#swept;
    await mkdir(this.#answers, { recursive: true });
    const path = join(this.#answers, randomUUID());
    try {
      const exitCode = await server.runHook("sh", ["-c", QUESTION, "sh", path]);
      if (exitCode === 0) return await readFile(path, "utf8");
      throw new LockstepError(
        "GIT_FAILED",
        `The git server did not say what its configuration forbids (exit code ${exitCode}), so nothing was written; its hooks need sh and git in PATH.`,
      );
    } finally {
      await rm(path, { force: true });
    }
  }

  #remember(gitDir: string, settings: string, known: Known): void {
    const stamps = this.#known.get(gitDir) ?? new Map<string, Known>();
    this.#known.set(gitDir, stamps);
    stamps.delete(settings);
    stamps.set(settings, known);
    const [oldest] = stamps.keys();
    if (stamps.size > STAMPS_KEPT && oldest !== undefined) stamps.delete(oldest);
  }
}

function interpret(gitDir: string, answer: string): { policy: ReceivePolicy; files: string[] } {
  const [home = "", xdg = "", global = "", system = "", hook = "", runs = "", ...rest] = answer.split("\0");
  const entries: { origin: string; key: string; value: string | null }[] = [];
  for (let index = 0; index + 1 < rest.length; index += 2) {
    const [key = "", ...value] = (rest[index + 1] ?? "").split("\n");
    entries.push({ origin: rest[index] ?? "", key, value: value.length === 0 ? null : value.join("\n") });
  }
  // The last value of a key counts.
  const values = new Map(entries.map(({ key, value }) => [key, value]));
  const updateHook = resolve(gitDir, hook);
  const policy: ReceivePolicy = {
    denyDeletes: isTrue(values.get("receive.denydeletes")),
    denyNonFastForwards: isTrue(values.get("receive.denynonfastforwards")),
    denyDeleteCurrent: denyAction(values.get("receive.denydeletecurrent")),
    denyCurrentBranch: denyAction(values.get("receive.denycurrentbranch")),
    updateHook: runs === "runs" ? updateHook : undefined,
    hooks: dirname(updateHook),
  };
  return { policy, files: [updateHook, ...settingsFiles(gitDir, { home, xdg, global, system }, entries)] };
}

/** Reads a boolean as git_config_bool does: a key without a value is true. undefined: not set. */
function isTrue(value: string | null | undefined): boolean {
  return value === null || (value !== undefined && !/^(false|no|off|[+-]?0+[kmg]?|)$/i.test(value));
}

/**
 * Reads a deny action as parse_deny_action in receive-pack does. updateInstead is for work trees, which replicas do not
 * have, so it counts as "refuse".
 */
function denyAction(value: string | null | undefined): DenyAction {
  if (value === undefined) return "refuse";
  if (value === null || /^ignore$/i.test(value)) return "ignore";
  if (/^warn$/i.test(value)) return "warn";
  return /^(refuse|updateinstead)$/i.test(value) || isTrue(value) ? "refuse" : "ignore";
}

/** Returns true when `oldId` is an ancestor of `newId`. */
export async function isFastForward(
  context: GitContext,
  gitDir: string,
  oldId: string,
  newId: string,
): Promise<boolean> {
  const question: LocalArguments = ["merge-base", "--is-ancestor", oldId, newId];
  const { exitCode } = await gitBytes(context, gitDir, question, { expected: [0, 1, 128] });
  return exitCode === 0;
}

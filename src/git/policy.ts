// What git itself would refuse, were it not for proc-receive: with that hook in charge receive-pack skips its own checks of
// receive.denyDeletes and the like, and the update hook (git's builtin/receive-pack.c, update()).
//
// The git that received the push reads configuration that only it can see: its user's, its machine's, that of its environment. So it is
// asked, through the hook, and asked again only when the stamp that the hook sends has changed (settings-watch.ts).
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { LockstepError } from "../errors.ts";
import { type GitContext, git } from "./process.ts";
import { settingsFiles, watchSettings } from "./settings-watch.ts";

export type DenyAction = "refuse" | "warn" | "ignore";

export interface ReceivePolicy {
  readonly denyDeletes: boolean;
  readonly denyNonFastForwards: boolean;
  readonly denyDeleteCurrent: DenyAction;
  readonly denyCurrentBranch: DenyAction;
  /** Where git finds the update hook, if it can be run. */
  readonly updateHook: string | undefined;
  /** The folder in which git looks for hooks. */
  readonly hooks: string;
}

/** The git server, seen through the hook of one push. */
export interface GitServer {
  /** Changes whenever what its git reads as configuration may have changed. undefined: not known. */
  readonly settings: string | undefined;
  /** Runs a program in the repository and in the server's environment; returns its exit code. */
  runHook(path: string, args: readonly (string | Buffer)[]): Promise<number>;
}

/** Printed NUL-terminated: what says where configuration lies, the update hook, and then the settings with their origins. */
const QUESTION = `umask 077
{
  printf '%s\\0' "$HOME" "$XDG_CONFIG_HOME" "$GIT_CONFIG_GLOBAL" "$GIT_CONFIG_SYSTEM"
  hook=$(git rev-parse --git-path hooks/update) || exit 2
  printf '%s\\0' "$hook"
  if test -f "$hook" && test -x "$hook"; then printf 'runs\\0'; else printf '\\0'; fi
  git config --null --show-origin --get-regexp '^(receive[.]deny.*|core[.]hookspath|include[.]path|includeif[.].*)$'
  test $? -le 1
} >"$1"`;

/** Settings in files that no stamp covers, such as those of a git that was built with a prefix of its own, count after so long. */
const BELIEVED_MS = 60_000;
/** Front ends of one repository whose environments differ. */
const STAMPS_KEPT = 8;

interface Known {
  readonly policy: ReceivePolicy;
  readonly askedAt: number;
}

/** The policies of repositories. While nothing changes a push costs no process. */
export class ReceivePolicies {
  readonly #answers: string;
  readonly #known = new Map<string, Map<string, Known>>();
  #swept: Promise<void> | undefined;

  /** `stateDir`: of the root; the git server's user may write there too. */
  constructor(stateDir: string) {
    this.#answers = join(stateDir, "asked");
  }

  /** The policy of the git that received a push. Throws GIT_FAILED when it cannot be asked: then nobody knows what it would refuse. */
  async read(gitDir: string, server: GitServer): Promise<ReceivePolicy> {
    const { settings } = server;
    const known = settings === undefined ? undefined : this.#known.get(gitDir)?.get(settings);
    if (known !== undefined && performance.now() - known.askedAt < BELIEVED_MS) return known.policy;
    const askedAt = performance.now();
    const { policy, files } = interpret(gitDir, await this.#ask(server));
    // The list is part of the stamp: where this makes it longer, the next push is asked for again.
    await watchSettings(gitDir, files);
    if (settings !== undefined) this.#remember(gitDir, settings, { policy, askedAt });
    return policy;
  }

  async #ask(server: GitServer): Promise<string> {
    // What a sidecar that was killed left there goes; if it cannot, that is no reason to refuse a push.
    this.#swept ??= rm(this.#answers, { recursive: true, force: true }).catch(() => {});
    await this.#swept;
    await mkdir(this.#answers, { recursive: true });
    const path = join(this.#answers, randomUUID());
    try {
      const exitCode = await server.runHook("sh", ["-c", QUESTION, "sh", path]);
      if (exitCode === 0) return await readFile(path, "utf8");
      throw new LockstepError(
        "GIT_FAILED",
        `The git server does not say what its configuration forbids (exit code ${exitCode}), so nothing was written; its hooks need sh and git in PATH.`,
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
  // The last one counts.
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

/** As git_config_bool: a key without a value is true. undefined: not set. */
function isTrue(value: string | null | undefined): boolean {
  return value === null || (value !== undefined && !/^(false|no|off|[+-]?0+[kmg]?|)$/i.test(value));
}

/** As parse_deny_action in receive-pack. updateInstead is for work trees, which replicas do not have: it refuses. */
function denyAction(value: string | null | undefined): DenyAction {
  if (value === undefined) return "refuse";
  if (value === null || /^ignore$/i.test(value)) return "ignore";
  if (/^warn$/i.test(value)) return "warn";
  return /^(refuse|updateinstead)$/i.test(value) || isTrue(value) ? "refuse" : "ignore";
}

/** True when `newId` contains `oldId` in its history. */
export async function isFastForward(
  context: GitContext,
  gitDir: string,
  oldId: string,
  newId: string,
): Promise<boolean> {
  const { exitCode } = await git(context, gitDir, ["merge-base", "--is-ancestor", oldId, newId]);
  return exitCode === 0;
}

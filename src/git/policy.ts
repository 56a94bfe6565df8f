// What git itself would refuse, were it not for proc-receive: with that hook in charge receive-pack skips its own checks of
// receive.denyDeletes, denyDeleteCurrent and denyNonFastForwards (git's builtin/receive-pack.c, update()).
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type GitContext, git, gitBytes } from "./process.ts";

export interface ReceivePolicy {
  readonly denyDeletes: boolean;
  readonly denyNonFastForwards: boolean;
  readonly denyDeleteCurrent: "refuse" | "warn" | "ignore";
}

interface Cached {
  readonly stamp: string;
  readonly policy: ReceivePolicy;
}

/** Reads the policy of repositories, anew only when their `config` file has changed: no git process on the path of a push. */
export class ReceivePolicies {
  readonly #context: GitContext;
  readonly #cache = new Map<string, Cached>();

  constructor(context: GitContext) {
    this.#context = context;
  }

  /** The policy set in the repository's own configuration; that of the git server's user or system does not count. */
  async read(gitDir: string): Promise<ReceivePolicy> {
    const { mtimeMs, ino, size } = await stat(join(gitDir, "config"));
    const stamp = `${mtimeMs} ${ino} ${size}`;
    const cached = this.#cache.get(gitDir);
    if (cached?.stamp === stamp) return cached.policy;
    const args = ["config", "--null", "--get-regexp", "^receive\\.deny"];
    const { stdout } = await gitBytes(this.#context, gitDir, args, { expected: [0, 1] });
    const values = new Map(
      stdout
        .toString("utf8")
        .split("\0")
        .map((entry): [string, string] => {
          const [key = "", value = "true"] = entry.split("\n");
          return [key, value.toLowerCase()];
        }),
    );
    const current = values.get("receive.denydeletecurrent");
    const policy: ReceivePolicy = {
      denyDeletes: isTrue(values.get("receive.denydeletes")),
      denyNonFastForwards: isTrue(values.get("receive.denynonfastforwards")),
      denyDeleteCurrent: current === "warn" ? "warn" : current === "ignore" || isFalse(current) ? "ignore" : "refuse",
    };
    this.#cache.set(gitDir, { stamp, policy });
    return policy;
  }
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && !isFalse(value);
}

function isFalse(value: string | undefined): boolean {
  return value === "false" || value === "no" || value === "off" || value === "0" || value === "";
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

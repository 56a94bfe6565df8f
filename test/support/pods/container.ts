// Runs the command of a container in namespaces of its own, as its manifest says: its mounts, its user, a root that
// cannot be written to, no capabilities, and a limit of the memory of each process.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import type { Container, PodSecurityContext } from "kubernetes-types/core/v1.js";
import type { Image } from "./image.ts";
import { bytesOf } from "./manifests.ts";

const run = promisify(execFile);
const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** A directory or file of this machine that a container sees. */
export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly isFile: boolean;
}

export interface ContainerPlan {
  readonly spec: Container;
  readonly security: PodSecurityContext;
  readonly image: Image;
  readonly env: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
  readonly mounts: readonly Mount[];
  /** The network namespace of the pod. */
  readonly network: string;
  /** A directory of this machine for the root and the log. */
  readonly dir: string;
}

/** A container that runs, or has ended. */
export class RunningContainer {
  readonly plan: ContainerPlan;
  /** Resolves with the exit code when the first process has ended; null after SIGKILL. */
  readonly ended: Promise<number | null>;
  readonly #outside: ChildProcess;
  hasEnded = false;

  private constructor(plan: ContainerPlan, outside: ChildProcess) {
    this.plan = plan;
    this.#outside = outside;
    this.ended = once(outside, "exit").then(([code]) => {
      this.hasEnded = true;
      return code as number | null;
    });
  }

  /** Starts the command. */
  static async start(plan: ContainerPlan): Promise<RunningContainer> {
    const root = join(plan.dir, "root");
    await mkdir(root, { recursive: true });
    await using log = await open(join(plan.dir, "log"), "a");
    const inside = ["unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child", "bash", "-c", script(plan, root)];
    const argv = ["--pdeathsig", "KILL", "nsenter", `--net=${plan.network}`, ...inside];
    return new RunningContainer(plan, spawn("setpriv", argv, { env: plan.env, stdio: ["ignore", log.fd, log.fd] }));
  }

  get name(): string {
    return this.plan.spec.name;
  }

  /** Returns what the container has printed. */
  async log(): Promise<string> {
    return await readFile(join(this.plan.dir, "log"), "utf8");
  }

  /** Runs a command in the container, as `kubectl exec` does. Throws if it fails. */
  async exec(command: readonly string[]): Promise<string> {
    const argv = [
      "--mount",
      "--net",
      "--pid",
      "--ipc",
      "env",
      "--chdir=/lockstep",
      ...restricted(this.plan),
      ...command,
    ];
    const target = ["--target", String(await this.#pid())];
    return (await run("nsenter", [...target, ...argv], { env: this.plan.env })).stdout;
  }

  /** Sends a signal to the first process of the container. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    if (!this.hasEnded) process.kill(await this.#pid(), signal);
  }

  async #pid(): Promise<number> {
    const { pid } = this.#outside;
    for (;;) {
      if (this.hasEnded) throw new Error(`container ${this.name} has ended:\n${await this.log()}`);
      const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
      if (children !== "") return Number(children.trim());
      await delay(5);
    }
  }
}

/** Returns the command that makes the process that it starts the user of the container. */
function restricted({ spec, security }: ContainerPlan): string[] {
  const { allowPrivilegeEscalation, capabilities } = spec.securityContext ?? {};
  const { runAsUser, runAsGroup, fsGroup } = security;
  const memory = spec.resources?.limits?.memory;
  return [
    ...["setpriv", `--reuid=${runAsUser}`, `--regid=${runAsGroup}`, `--groups=${fsGroup}`],
    ...(allowPrivilegeEscalation === false ? ["--no-new-privs"] : []),
    ...(capabilities?.drop?.includes("ALL") ? ["--bounding-set=-all", "--inh-caps=-all"] : []),
    ...(memory === undefined ? [] : ["prlimit", `--data=${bytesOf(memory)}`, "--"]),
  ];
}

function script(plan: ContainerPlan, root: string): string {
  const mounts = plan.mounts.flatMap(({ source, target, readOnly, isFile }) => [
    isFile
      ? `[ -e .${quote(target)} ] || { mkdir -p "$(dirname .${quote(target)})"; touch .${quote(target)}; }`
      : `mkdir -p .${quote(target)}`,
    `mount --bind ${quote(source)} .${quote(target)}`,
    ...(readOnly ? [`mount -o remount,ro,bind .${quote(target)}`] : []),
  ]);
  return [
    "set -eu",
    "mount --make-rprivate /",
    `mount -t tmpfs -o mode=755 root ${quote(root)}`,
    `cd ${quote(root)}`,
    ...plan.image.build,
    ...mounts,
    "mkdir .old",
    "pivot_root . .old",
    "umount --lazy /.old",
    "rmdir /.old",
    ...(plan.spec.securityContext?.readOnlyRootFilesystem ? ["mount -o remount,ro /"] : []),
    "cd /lockstep",
    `exec ${[...restricted(plan), ...plan.argv].map(quote).join(" ")}`,
  ].join("\n");
}

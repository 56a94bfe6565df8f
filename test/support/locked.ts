// Runs `lockstep lock` in tests, and looks at what its sessions left.
import type { ChildProcess } from "node:child_process";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { type Device, type Ended, ended } from "./cluster-device.ts";
import { ada, cluster, one } from "./file-cluster.ts";
import { soon } from "./soon.ts";

export const SOON = soon(20);

export const EXIT = { OK: 0, NOT_NOW: 3 };

export interface Locked extends AsyncDisposable {
  readonly process: ChildProcess;
  /** When it ended: its exit code, and what it printed. */
  readonly ended: Promise<Ended>;
  /** What it has printed on standard error so far. */
  said(): string;
}

/** Starts `lockstep lock ARGS` in a process group of its own. */
export function lock(device: Device, args: readonly string[], env: Record<string, string> = {}): Locked {
  const child = device.command(["lock", ...args], { ...cluster.git.env, USER: "grace", ...env }, true);
  let said = "";
  child.stderr?.on("data", (chunk) => {
    said += chunk;
  });
  const end = ended(child);
  return {
    process: child,
    ended: end,
    said: () => said,
    async [Symbol.asyncDispose]() {
      signalGroup(child, "SIGKILL");
      await end;
    },
  };
}

export function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid!, signal);
  } catch {
    // All of it has ended.
  }
}

/** A repository whose main has one commit. */
export async function withMain(): Promise<{ repository: string; first: string }> {
  const repository = await cluster.createRepository();
  const first = await ada.commit();
  await ada.land(one.url(repository), `${first}:refs/heads/main`);
  return { repository, first };
}

export interface Held extends Locked {
  /** Ends the command with that exit code. */
  release(code: number): Promise<void>;
}

export let sessions = 0;

/** Begins a session on the device that has made a branch and goes on until it is released. */
export async function held(device: Device, repository: string, ...flags: string[]): Promise<Held> {
  sessions += 1;
  const end = join(cluster.dir, `end-${sessions}`);
  const script = `git update-ref refs/heads/made refs/heads/main; echo changed >&2
    while ! test -s '${end}'; do sleep 0.05; done; exit $(cat '${end}')`;
  const locked = lock(device, [repository, "--reason", "squashing", ...flags, "--", "sh", "-c", script]);
  await vi.waitFor(() => expect(locked.said()).toContain("changed"), SOON);
  return Object.assign(locked, { release: (code: number) => writeFile(end, String(code)) });
}

/** The branches that stock git is served: name → object id. */
export async function branchesOn(device: Device, repository: string): Promise<Record<string, string>> {
  const listed = await cluster.git.git(["ls-remote", device.url(repository), "refs/heads/*"]);
  const lines = listed.split("\n").map((line) => line.split("\trefs/heads/") as [string, string]);
  return Object.fromEntries(lines.map(([id, name]) => [name, id]));
}

/** The refs that keep what dropped sessions changed, in the device's replica: name without the write's id → object id. */
export async function keptOn(device: Device, repository: string): Promise<Record<string, string>> {
  const listed = await cluster.git.git([
    `--git-dir=${device.gitDir(repository)}`,
    "for-each-ref",
    "--format=%(refname) %(objectname)",
    "refs/lockstep/dropped/",
  ]);
  const lines = listed.split("\n").filter(Boolean);
  return Object.fromEntries(lines.map((line) => line.replace(/^refs\/lockstep\/dropped\/[^/]*\//, "").split(" ")));
}

export async function expectKept(device: Device, repository: string, refs: Record<string, string>): Promise<void> {
  await vi.waitFor(async () => expect(await keptOn(device, repository)).toEqual(refs), SOON);
  const scratches = join(device.demo.root, ".lockstep", "scratch");
  await vi.waitFor(async () => expect(await readdir(scratches)).toEqual([]), SOON);
}

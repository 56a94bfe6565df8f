// A gate with a cache beside one without, and questions to both.
import { afterEach, beforeEach } from "vitest";
import type { Gate } from "../../src/gate/gate.ts";
import { GateSite, MIB } from "./gate-site.ts";

export const REFS = "/team/app.git/info/refs?service=git-upload-pack";
export const FETCH = "/team/app.git/git-upload-pack";
/** A change of refs before a test. The answer of a sidecar may be late, so a change a moment ago may count as one now. */
export const LONG_AGO_MS = 600_000;
export const V2 = { "Git-Protocol": "version=2" };

// `makeGateCacheSite` sets these before each test.
export let site: GateSite;
export let plain: Gate;
/** When the refs changed last, as the sidecar would know it. */
export let changedAt: number;
/** How often the sidecar was asked. */
export let asked: number;

export type Question = Parameters<typeof ask>;
export const OLD: Question = [REFS];
export const CAPABILITIES: Question = [REFS, V2];

export const packet = (line: string) => (Buffer.byteLength(line) + 4).toString(16).padStart(4, "0") + line;

export function lsRefs(...lines: string[]): string {
  const format = site.format === "sha256" ? [packet("object-format=sha256")] : [];
  return [packet("command=ls-refs\n"), ...format, "0001", ...lines.map((line) => packet(`${line}\n`)), "0000"].join("");
}

/** Lets the sidecar say that the refs have just changed. */
export function refsChangeNow(): void {
  changedAt = performance.now();
}

/** Changes refs as a write does, which the sidecar notices. */
export async function change(...args: string[]): Promise<void> {
  await site.sandbox.git(args, { cwd: site.bare });
  changedAt = performance.now();
}

/** Asks for refs, and returns the answer and how many gits the gate started for it. */
export async function ask(path: string, headers: Record<string, string> = {}, body?: string) {
  const before = await site.starts();
  const answer = await site.fetchRaw(path, body === undefined ? { headers } : { method: "POST", headers }, body);
  const { status } = answer;
  const { "content-type": type, "cache-control": caching } = answer.headers;
  return { answer: { status, type, caching, body: answer.body }, gits: (await site.starts()) - before };
}

/** Asks the gate without a cache. */
export async function oracle(...question: Question) {
  const { gate } = site;
  site.gate = plain;
  try {
    return (await ask(...question)).answer;
  } finally {
    site.gate = gate;
  }
}

export async function fill(...names: string[]): Promise<void> {
  const commit = (name: string) =>
    `commit refs/${name}\ncommitter Ada <ada@example.com> ${names.indexOf(name)} +0000\ndata 1\nx\n`;
  await site.sandbox.git(["fast-import", "--quiet"], { cwd: site.bare, input: names.map(commit).join("") });
  changedAt = performance.now() - LONG_AGO_MS;
}

export async function set(name: string, value: string): Promise<void> {
  await site.sandbox.git(["config", "--add", name, value], { cwd: site.bare });
}

export const earlier = async (...args: string[]) => void (await site.sandbox.git(args, { cwd: site.bare }));
export const alias = () => earlier("symbolic-ref", "refs/heads/alias", "refs/heads/topic");

export async function tags(): Promise<void> {
  const who = { GIT_COMMITTER_NAME: "Ada", GIT_COMMITTER_EMAIL: "ada@example.com" };
  const tag = (name: string, of: string) =>
    site.sandbox.git(["tag", "--annotate", "-m", name, name, of], { cwd: site.bare, env: who });
  await tag("v1", "main");
  await tag("v1-again", "v1");
}

/** Makes the gates before each test of the calling file, and ends them afterwards. */
export function makeGateCacheSite(): void {
  beforeEach(async () => {
    site = await GateSite.make();
    plain = site.gate;
    site.gate = await site.openGate({ cacheBytes: 4 * MIB });
    [changedAt, asked] = [performance.now() - LONG_AGO_MS, 0];
    site.beforeRead = async () => {
      asked += 1;
      return { unchangedMs: performance.now() - changedAt };
    };
  });
  afterEach(async () => {
    await plain[Symbol.asyncDispose]();
    await site[Symbol.asyncDispose]();
  });
}

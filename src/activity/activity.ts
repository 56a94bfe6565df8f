// The rows of the push log and of the pull log, as a sidecar notes them before it writes them to the database.
import { displayRef, type RefName, type RefUpdate, TEXT_LIMIT, type Version } from "../domain.ts";
import { describe, firstError, LockstepError } from "../errors.ts";

/** How a client came: through a front end for HTTP, over ssh, or with a git on the same machine. */
export type ClientWay = "http" | "ssh" | "direct";

/** Who came, and from where. */
export interface Client {
  readonly author: string;
  /** null: it is on this machine, or its front end has not told. */
  readonly address: string | null;
  /** session: a program that made a write session. */
  readonly way: ClientWay | "session" | "frontend";
  readonly requestId: string | null;
}

/** What a push waited for, in milliseconds. */
export interface PushWaits {
  /** git and the disk of this device. */
  readonly host: number;
  readonly database: number;
  /** Copies of its objects on other devices. */
  readonly copies: number;
  /** Other writers of this repository: the mutex of its replica, and the turn. */
  readonly writers: number;
  /** A catch-up of its replica. */
  readonly reads: number;
  readonly hooks: number;
}

/** One ref of a push. `why`: the reason of its refusal; null: none. */
export type PushedRef = readonly [name: string, oldValue: string | null, newValue: string | null, why: string | null];

export interface PushEvent {
  /** When it was answered, on the clock of `performance`. */
  readonly endedAt: number;
  readonly client: Client;
  readonly repository: string;
  readonly repositoryId: string | null;
  readonly result: "landed" | "unchanged" | "refused" | "unknown";
  readonly version: Version | null;
  readonly code: string | null;
  readonly reason: string | null;
  readonly refs: readonly PushedRef[];
  readonly refsTotal: number;
  readonly durationMs: number;
  readonly waits: PushWaits;
}

export interface PullEvent {
  readonly endedAt: number;
  readonly client: Client;
  readonly repository: string;
  readonly repositoryId: string | null;
  readonly what: "clone" | "fetch" | "refs" | "push" | "read";
  /** caught_up: it waited for a catch-up. */
  readonly result: "current" | "caught_up" | "stale" | "refused";
  readonly version: Version | null;
  readonly code: string | null;
  readonly reason: string | null;
  /** Until it was let read, and until it was answered. */
  readonly waitMs: number;
  readonly durationMs: number;
}

/** How many refs of a push its row names. */
const REFS_NAMED = 20;

export const NO_WAITS: PushWaits = { host: 0, database: 0, copies: 0, writers: 0, reads: 0, hooks: 0 };

/** The steps of a write, by what it waits for in them (the laps of its stopwatch). */
const STEPS: Readonly<Record<Exclude<keyof PushWaits, "hooks">, readonly string[]>> = {
  host: ["policyMs", "compareMs", "objectsMs", "prepareMs", "syncMs", "commitMs"],
  database: ["stageMs", "landMs"],
  copies: ["copiesMs"],
  writers: ["mutexMs", "turnMs"],
  reads: ["readMs"],
};

/**
 * Returns what a write waited for. The policy of a push runs the `update` hook, so that time is taken off. A write that
 * failed before its first lap waited for its replica.
 */
export function waitsOf(
  { laps, durationMs }: { readonly laps: Readonly<Record<string, number>>; readonly durationMs: number },
  hooks: { readonly update: number; readonly before: number },
): PushWaits {
  const sum = (steps: readonly string[]) => steps.reduce((all, step) => all + (laps[step] ?? 0), 0);
  const nothingDone = Object.keys(laps).length === 0;
  return {
    host: Math.max(0, sum(STEPS.host) - hooks.update),
    database: sum(STEPS.database),
    copies: sum(STEPS.copies),
    writers: sum(STEPS.writers),
    reads: nothingDone ? durationMs : sum(STEPS.reads),
    hooks: hooks.update + hooks.before,
  };
}

/** Returns the first refs of a push for its row. `why`: returns the reason of a refusal. */
export function namedRefs(updates: readonly RefUpdate[], why: (name: RefName) => string | null): PushedRef[] {
  return updates.slice(0, REFS_NAMED).map(({ name, oldValue, newValue }) => {
    const reason = why(name);
    return [
      shortText(displayRef(name)),
      oldValue && shortText(displayRef(oldValue)),
      newValue && shortText(displayRef(newValue)),
      reason && shortText(reason),
    ];
  });
}

/** Returns a text as the database may keep it: without NUL, and not longer than other texts that are kept. */
export function shortText(text: string): string {
  const short = text.replaceAll("\0", "").slice(0, TEXT_LIMIT);
  // Not one half of a character.
  return short.replace(/[\ud800-\udbff]$/, "");
}

/** Returns why something was refused, for a row. */
export function refusalOf(thrown: unknown): { code: string; reason: string } {
  const error = firstError(thrown);
  return { code: error instanceof LockstepError ? error.code : "INTERNAL", reason: shortText(describe(error)) };
}

/** Finds who a client is in the environment in which its git was started. */
export function clientOf(env: ReadonlyMap<string, string>, author: string): Client {
  const http = env.get("REMOTE_ADDR");
  const ssh = env.get("SSH_CONNECTION")?.split(" ")[0];
  return {
    author: shortText(author),
    address: shortText(http || ssh || "") || null,
    way: http ? "http" : ssh ? "ssh" : "direct",
    requestId: shortText(env.get("LOCKSTEP_REQUEST_ID") ?? "") || null,
  };
}

// Rows of the push log, the pull log and the sync log, as text and as --json prints them. Names, reasons and words of
// git are texts of strangers.
import type { LoggedPull__Output as Pull } from "../../generated/lockstep/v1/LoggedPull.ts";
import type { LoggedPush__Output as Push } from "../../generated/lockstep/v1/LoggedPush.ts";
import type { LoggedSync__Output as Sync } from "../../generated/lockstep/v1/LoggedSync.ts";
import { visible } from "../../io/visible.ts";
import { toMs } from "../../protocol/times.ts";
import { duration, wrapped } from "../terminal/command.ts";
import { size } from "../terminal/progress.ts";
import { instant, moment } from "./times.ts";

const WAITS = ["host", "database", "copies", "writers", "reads", "hooks"] as const;
const REFUSED_REFS = 10;

function ms(value: unknown): number {
  return Math.round(toMs(value as never) ?? 0);
}

function who({ author, address, way, device }: Pick<Push, "author" | "address" | "way" | "device">): string {
  const from = address === "" ? "" : ` from ${visible(address)}`;
  return `${visible(author)}${from} (${way}) on ${visible(device)}`;
}

function short(value: string): string {
  return visible(value === "" ? "(none)    " : value.startsWith("ref: ") ? value : value.slice(0, 10));
}

/** Returns indented lines of why something failed. */
function why(code: string, reason: string): string[] {
  return [code, reason].some(Boolean) ? [wrapped([code, visible(reason)].filter(Boolean).join(": "), "    ")] : [];
}

export function pushText(push: Push): string {
  const outcome = push.result === "landed" ? `landed as version ${push.version}` : push.result;
  const refs = push.refs.slice(0, REFUSED_REFS).map(({ name, oldValue, newValue, refused }) => {
    const end = refused === "" ? "" : `  refused: ${visible(refused)}`;
    return `    ${short(oldValue)} → ${short(newValue)}  ${visible(name)}${end}`;
  });
  const more = push.refsTotal - refs.length;
  const waited = WAITS.flatMap((what) => {
    const waitedMs = ms(push.waits?.[what]);
    return waitedMs === 0 ? [] : `${what} ${duration(waitedMs)}`;
  });
  const took = `took ${duration(ms(push.duration))}${waited.length === 0 ? "" : `: ${waited.join(", ")}`}`;
  return [
    `${moment(push.at)}  ${visible(push.repository)}  ${outcome}`,
    `    by ${who(push)}`,
    ...(push.code === "" && push.refs.some(({ refused }) => refused !== "") ? [] : why(push.code, push.reason)),
    ...refs,
    ...(more > 0 ? [`    and ${more} more`] : []),
    wrapped(took, "    "),
  ].join("\n");
}

export function pushDocument(push: Push) {
  return {
    at: instant(push.at),
    ...{ device: push.device, repository: push.repository, author: push.author },
    address: push.address || null,
    way: push.way,
    request_id: push.requestId || null,
    result: push.result,
    version: push.version === "0" ? null : Number(push.version),
    code: push.code || null,
    reason: push.reason || null,
    refs: push.refs.map(({ name, oldValue, newValue, refused }) => ({
      ref: name,
      old: oldValue || null,
      new: newValue || null,
      refused: refused || null,
    })),
    refs_total: push.refsTotal,
    duration_ms: ms(push.duration),
    waited_ms: Object.fromEntries(WAITS.map((what) => [what, ms(push.waits?.[what])])),
  };
}

export function pullText(pull: Pull): string {
  const at = pull.version === "0" ? "" : ` of version ${pull.version}`;
  const outcome = pull.result === "refused" ? `${pull.what} refused` : `${pull.what}${at}`;
  const caughtUp = pull.result === "caught_up" ? " for a catch-up" : "";
  const stands = pull.standsFor > 1 ? `, stands for ${pull.standsFor} reads` : "";
  return [
    `${moment(pull.at)}  ${visible(pull.repository)}  ${outcome}`,
    `    by ${who(pull)}, waited ${duration(ms(pull.waited))}${caughtUp}${stands}`,
    ...why(pull.code, pull.reason),
  ].join("\n");
}

export function pullDocument(pull: Pull) {
  return {
    at: instant(pull.at),
    ...{ device: pull.device, repository: pull.repository, author: pull.author },
    address: pull.address || null,
    ...{ way: pull.way, what: pull.what },
    request_id: pull.requestId || null,
    result: pull.result,
    version: pull.version === "0" ? null : Number(pull.version),
    code: pull.code || null,
    reason: pull.reason || null,
    waited_ms: ms(pull.waited),
    duration_ms: ms(pull.took),
    stands_for: pull.standsFor,
  };
}

export function syncText(sync: Sync): string {
  const from = sync.fromDevice === "" ? "" : ` from ${visible(sync.fromDevice)}`;
  const took = duration(ms(sync.took));
  const brought = `${sync.fromVersion} → ${sync.version}${from}, ${size(Number(sync.bytes))}, ${sync.refsChanged} refs`;
  const outcome = sync.result === "ok" ? `${brought}, ${took}` : `failed at version ${sync.fromVersion} after ${took}`;
  return [
    `${moment(sync.at)}  ${visible(sync.repository)} on ${visible(sync.device)}  ${outcome}`,
    ...why("", sync.error),
    ...(sync.said === "" ? [] : [wrapped(`git said: ${visible(sync.said)}`, "    ")]),
  ].join("\n");
}

export function syncDocument(sync: Sync) {
  return {
    at: instant(sync.at),
    ...{ device: sync.device, repository: sync.repository },
    from_device: sync.fromDevice || null,
    from_version: Number(sync.fromVersion),
    version: Number(sync.version),
    bytes: Number(sync.bytes),
    refs_changed: sync.refsChanged,
    duration_ms: ms(sync.took),
    result: sync.result,
    error: sync.error || null,
    git_said: sync.said || null,
  };
}

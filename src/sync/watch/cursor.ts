// A cursor says what a watcher has been told, as a short text that the watcher keeps. All versions up to `position`
// have been told, except those of held repositories. Each of these names the position of its first version that has not
// been told. So one repository that waits for a device holds back no other.
import { LockstepError } from "../../errors.ts";
import type { HeldRepository } from "../../store/watch/landed.ts";
import type { Position } from "../../store/watch/log-tail.ts";

/** So many repositories may be held at once. The watcher waits with further ones, so a cursor stays short. */
export const HELD_LIMIT = 100;

/** What the caller may send instead of a cursor. */
export const FROM_NOW = "now";
export const FROM_BEGINNING = "beginning";

export interface Cursor {
  readonly position: Position;
  readonly held: readonly Position[];
}

const FORM = /^1\.(\d{1,18})(?:-(\d{1,18}(?:\.\d{1,18})*))?$/;

/** Writes a cursor: "1.POSITION", and for held repositories "-POSITION.POSITION…" in rising order. */
export function writeCursor(position: Position, held: Iterable<HeldRepository>): string {
  const positions = [...held].map((each) => each.position).sort((a, b) => (a < b ? -1 : 1));
  return `1.${position}${positions.length === 0 ? "" : `-${positions.join(".")}`}`;
}

/** Reads a cursor. Throws INVALID_REQUEST. */
export function readCursor(text: string): Cursor {
  const [, position, list] = FORM.exec(text) ?? [];
  const held = list?.split(".").map(BigInt) ?? [];
  const isOne = position !== undefined && held.length <= HELD_LIMIT && held.every((each) => each <= BigInt(position));
  if (isOne) return { position: BigInt(position), held };
  throw new LockstepError(
    "INVALID_REQUEST",
    `${JSON.stringify(text.slice(0, 40))} is no cursor; give one that an event had, "${FROM_NOW}", or "${FROM_BEGINNING}".`,
  );
}

// The note that pre-receive writes for proc-receive: the whole push (docs/hook-protocol.md). git hands only a part of
// some pushes to proc-receive.
import { existsSync } from "node:fs";
import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { RefUpdate } from "../domain.ts";
import { parseCommand } from "./proc-receive.ts";

/** The note of a push. */
export interface PushNote {
  readonly updates: readonly RefUpdate[];
  /** When pre-receive wrote it, in milliseconds from 1970. */
  readonly writtenAt: number;
}

/**
 * Returns the whole push if pre-receive left a readable note of it, and removes the note. A note of more than `most`
 * bytes is not read.
 */
export async function takeNote(gitDir: string, push: string | undefined, most: number): Promise<PushNote | undefined> {
  if (push === undefined) return undefined;
  const path = join(gitDir, "objects", `tmp_pushed-${push}`);
  // Most pushes have none. This looks in place, since two threads that find nothing would cost fifty times as much.
  if (!existsSync(path)) return undefined;
  const file = await stat(path).catch(() => undefined);
  const note = file && file.size <= most ? await readFile(path, "latin1").catch(() => undefined) : undefined;
  await rm(path, { force: true });
  if (note === undefined || file === undefined) return undefined;
  const lines = note.split("\n").filter(Boolean);
  try {
    return { updates: lines.map((line) => parseCommand(Buffer.from(line, "latin1"))), writtenAt: file.mtimeMs };
  } catch {
    return undefined;
  }
}

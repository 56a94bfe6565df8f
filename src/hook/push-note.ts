// What pre-receive notes of a push for proc-receive: all of it (docs/hook-protocol.md). git hands less over.
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { RefUpdate } from "../domain.ts";
import { parseCommand } from "./proc-receive.ts";

/** The whole push, if pre-receive has noted it in a way that can be read, and removes the note. */
export async function takeNote(gitDir: string, push: string | undefined): Promise<RefUpdate[] | undefined> {
  if (push === undefined) return undefined;
  const path = join(gitDir, "objects", `tmp_pushed-${push}`);
  const note = await readFile(path, "latin1").catch(() => undefined);
  if (note === undefined) return undefined;
  await rm(path, { force: true });
  const lines = note.split("\n").filter(Boolean);
  try {
    return lines.map((line) => parseCommand(Buffer.from(line, "latin1")));
  } catch {
    return undefined;
  }
}

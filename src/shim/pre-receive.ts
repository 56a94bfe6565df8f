import { spawnSync } from "node:child_process";
import { closeSync, fstatSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { constants } from "node:os";
import { basename } from "node:path";
import { LockstepError } from "../errors.ts";
import { pushKey } from "./process.ts";
import { PUSH } from "./sidecar.ts";

const CHUNK = 1 << 16;

/**
 * Writes a note of the whole push for the sidecar: git hides an alias from proc-receive when its target is in the same
 * push. Then runs an operator's hook, if one is named, with the same input. Returns the exit code. If the note cannot
 * be written, the push goes on, unless that hook needs it as input.
 */
export function preReceive(host: NodeJS.Process, [hook, ...args]: readonly string[]): number {
  if (!fstatSync(0).isFIFO())
    throw new LockstepError(
      "USAGE",
      "pre-receive is a hook that only git receive-pack can start; push to the repository instead.",
    );
  const path = `objects/tmp_pushed-${pushKey(host.ppid)}`;
  try {
    // Set for the git of a client. The account of the git server itself may change any number of refs.
    writeNote(path, Number(host.env.LOCKSTEP_PUSH_REFS) || Number.POSITIVE_INFINITY);
  } catch (error) {
    rmSync(path, { force: true });
    if (error instanceof LockstepError) throw error;
    if (hook === undefined) return 0;
    const why = (error as NodeJS.ErrnoException).code;
    throw new LockstepError("INTERNAL", `the push note cannot be written (${why}), ${PUSH.refused}; ${PUSH.again}.`);
  }
  if (hook === undefined) return 0;
  const note = openSync(path, "r");
  const { status, signal, error } = spawnSync(hook, args, { stdio: [note, 1, 2] });
  closeSync(note);
  if (error) {
    const why = (error as NodeJS.ErrnoException).code;
    throw new LockstepError("INTERNAL", `the hook ${basename(hook)} cannot be run (${why}), ${PUSH.refused}.`);
  }
  return signal ? 128 + constants.signals[signal] : (status ?? 1);
}

function writeNote(path: string, limit: number): void {
  const note = openSync(path, "w", 0o600);
  try {
    const bytes = Buffer.alloc(CHUNK);
    let lines = 0;
    for (;;) {
      const got = readSync(0, bytes, 0, CHUNK, null);
      if (got === 0) return;
      for (let at = bytes.indexOf(10); at >= 0 && at < got; at = bytes.indexOf(10, at + 1)) lines += 1;
      if (lines > limit)
        throw new LockstepError(
          "INVALID_REQUEST",
          `this push changes more than ${limit} refs, so it was refused and nothing has changed; push in parts.`,
        );
      for (let done = 0; done < got; ) done += writeSync(note, bytes, done, got - done);
    }
  } finally {
    closeSync(note);
  }
}

import { spawnSync } from "node:child_process";
import { constants } from "node:os";
import { basename } from "node:path";

const CANNOT_RUN = 126;

/**
 * Runs the program in the payload of `U`, in the environment that git gave this process, and waits for it. Returns its
 * exit code. If it cannot run, `complain` gets the reason.
 */
export function runHook(payload: Buffer, complain: (sentence: string) => void): number {
  const [program = "", ...args] = payload.toString().split("\0").slice(0, -1);
  // Node passes only UTF-8 on. A hook that checks a ref other than the pushed one is worse than none.
  if (!Buffer.from(payload.toString()).equals(payload)) {
    complain(
      `the hook ${basename(program)} cannot be run: a name is not UTF-8, for which \`lockstep\` needs its native shim.`,
    );
    return CANNOT_RUN;
  }
  const { status, signal, error } = spawnSync(program, args, { stdio: ["ignore", 2, 2] });
  // Node's own message names the path, but strangers read this sentence.
  if (error) complain(`the hook ${basename(program)} cannot be run: ${(error as NodeJS.ErrnoException).code}.`);
  return signal ? 128 + constants.signals[signal] : (status ?? CANNOT_RUN);
}

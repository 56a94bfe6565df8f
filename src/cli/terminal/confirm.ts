// Asks a person at the terminal before something is done that was only shown.
import { createInterface } from "node:readline/promises";
import { ExitCode, LockstepError } from "../../errors.ts";
import { Exit, type Run } from "./command.ts";

/**
 * Returns if the operator types yes, after the caller has printed the plan. Throws Exit on another answer and with
 * --json, and USAGE if there is no terminal to ask on.
 */
export async function askForYes({ host, json }: Run, what = "Do this?"): Promise<void> {
  // With --json a program has read the plan, and repeats the command with --yes.
  if (json) throw new Exit(ExitCode.NOT_NOW);
  if (!host.stdin.isTTY)
    throw new LockstepError("USAGE", "There is no terminal to ask on, so nothing was changed; repeat it with --yes.");
  const question = createInterface({ input: host.stdin, output: host.stderr });
  try {
    // Ctrl-C and Ctrl-D reject the question, and leave the cursor in its line.
    const answer = await question.question(`\n${what} Type yes: `, { signal: host.stop }).catch(() => undefined);
    if (answer?.trim() === "yes") return;
    host.stderr.write(`${answer === undefined ? "\n" : ""}Nothing was changed.\n`);
    throw new Exit(ExitCode.FAILED);
  } finally {
    question.close();
  }
}

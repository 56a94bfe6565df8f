// `lockstep device remove`.
import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { ExitCode, LockstepError } from "../../errors.ts";
import type { DeviceDetails__Output as Details } from "../../generated/lockstep/v1/DeviceDetails.ts";
import type { Host } from "../../host.ts";
import { authorOf, Exit, prepare, type Run, subcommand } from "../terminal/command.ts";
import { describeDevice, printDevice } from "./device-text.ts";
import { connectToChange } from "./owner-client.ts";

/** Makes the command `lockstep device remove`. */
export function removeCommand(host: Host): Command {
  return subcommand(
    "remove",
    "remove a device from the cluster, when the other devices have all that it has",
    "lockstep device remove repo003",
    "device",
  )
    .argument("<name>")
    .option("--yes", "do it without a question")
    .action(async (device: string, flags: { yes?: boolean }) => {
      const run = prepare(host, "device", flags);
      await using client = await connectToChange(run);
      if (flags.yes !== true)
        await confirmRemoval(run, (await client.call("GetDevice", { device }, run.patience)).device);
      printDevice(run, (await client.call("RemoveDevice", { device, author: authorOf(host) }, run.patience)).device);
    });
}

/** Asks the operator. Throws Exit on another answer than yes and with --json, USAGE without a terminal to ask on. */
async function confirmRemoval(run: Run, details: Details | null): Promise<void> {
  const { host, json } = run;
  if (json) {
    printDevice(run, details);
    throw new Exit(ExitCode.NOT_NOW);
  }
  if (!host.stdin.isTTY)
    throw new LockstepError("USAGE", "There is no terminal to ask on, so nothing was changed; repeat it with --yes.");
  host.stderr.write(`${describeDevice(details)}\n`);
  const question = createInterface({ input: host.stdin, output: host.stderr });
  try {
    const answer = await question.question("\nRemove this device? Type yes: ", { signal: host.stop });
    if (answer.trim() === "yes") return;
    host.stderr.write("Nothing was changed.\n");
    throw new Exit(ExitCode.FAILED);
  } finally {
    question.close();
  }
}

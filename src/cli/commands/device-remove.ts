// `lockstep device remove`.
import type { Command } from "commander";
import type { DeviceDetails__Output as Details } from "../../generated/lockstep/v1/DeviceDetails.ts";
import type { Host } from "../../host.ts";
import { connectToChange } from "../parts/owner-client.ts";
import { authorOf, prepare, type Run, subcommand } from "../terminal/command.ts";
import { askForYes } from "../terminal/confirm.ts";
import { describeDevice, printDevice } from "../text/device.ts";

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

/** Asks the operator. Throws as `askForYes`. */
async function confirmRemoval(run: Run, details: Details | null): Promise<void> {
  if (run.json) printDevice(run, details);
  else if (run.host.stdin.isTTY) run.host.stderr.write(`${describeDevice(details)}\n`);
  await askForYes(run, "Remove this device?");
}

// `lockstep device drain` and `undrain`.
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type { Client } from "../../client/client.ts";
import { ExitCode, LockstepError } from "../../errors.ts";
import type { DeviceDetails__Output as Details } from "../../generated/lockstep/v1/DeviceDetails.ts";
import type { Host } from "../../host.ts";
import { connectToChange } from "../parts/owner-client.ts";
import { authorOf, Exit, prepare, type Run, subcommand } from "../terminal/command.ts";
import { Progress } from "../terminal/progress.ts";
import { onlyHere, printDevice } from "../text/device.ts";

/** Makes the command `lockstep device drain`. */
export function drainCommand(host: Host): Command {
  return subcommand(
    "drain",
    "make a device safe to switch off: it takes no more writes, and the others get all that it has",
    "lockstep device drain repo003 --wait",
    "device",
  )
    .argument("<name>")
    .option("--wait", "wait until the other devices have everything")
    .action(async (device: string, flags: { wait?: boolean }) => {
      const run = prepare(host, "device", flags);
      await using client = await connectToChange(run);
      const asked = await client.call("DrainDevice", { device, author: authorOf(host) }, run.patience);
      printDevice(run, flags.wait ? await untilDrained(run, client, device) : asked.device);
    });
}

const LOOK_MS = 500;

/** Waits until the device is drained. Throws DEVICE_NEEDED if somebody ends the drain meanwhile. */
async function untilDrained(run: Run, client: Pick<Client, "call">, device: string): Promise<Details> {
  using progress = new Progress(run.host.stderr, run.json);
  let left = "";
  progress.show(() => `${device} drains${left}`);
  for (;;) {
    const askedAt = performance.now();
    const { device: details } = await client.call("GetDevice", { device }, run.patience);
    if (details?.drained) return details;
    if (!details?.device?.drainingSince)
      throw new LockstepError("DEVICE_NEEDED", `Somebody ended the drain of ${device}; drain it again if it shall go.`);
    left = `: ${onlyHere(details)} repositories are on no other device, ${details.writing} writes are under way`;
    // The answer costs a look at all replicas of the device, so the pause grows with its time.
    await sleep(LOOK_MS + 4 * (performance.now() - askedAt), undefined, { signal: run.host.stop }).catch(() => {
      progress.stop();
      run.host.stderr.write(
        `${device} goes on draining: it takes no writes. The same command waits again, and \`lockstep device undrain ${device}\` ends the drain.\n`,
      );
      throw new Exit(ExitCode.NOT_NOW);
    });
  }
}

/** Makes the command `lockstep device undrain`. */
export function undrainCommand(host: Host): Command {
  return subcommand(
    "undrain",
    "let a device take writes and replicas again; one that was removed may join again, as a new one",
    "lockstep device undrain repo003",
    "device",
  )
    .argument("<name>")
    .action(async (device: string, flags) => {
      const run = prepare(host, "device", flags);
      await using client = await connectToChange(run);
      printDevice(run, (await client.call("UndrainDevice", { device, author: authorOf(host) }, run.patience)).device);
    });
}

// `lockstep device`: which devices there are, and what an operator does to grow or shrink the cluster.

import { createInterface } from "node:readline/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import type { Client } from "../../client/client.ts";
import { ExitCode, LockstepError } from "../../errors.ts";
import type { DeviceDetails__Output as Details } from "../../generated/lockstep/v1/DeviceDetails.ts";
import type { Host } from "../../host.ts";
import { authorOf, Exit, prepare, type Run, subcommand } from "../terminal/command.ts";
import { Progress } from "../terminal/progress.ts";
import { authorizedKeysCommand } from "./device-authorized-keys.ts";
import { enrollCommand } from "./device-enroll.ts";
import { loginCommand } from "./device-login.ts";
import { describeDevice, describeDevices, documentOfDevice, onlyHere, there } from "./device-text.ts";
import { revokeCommand, trustCommand } from "./identity.ts";
import { describeIdentity, describeWaiting, documentOf, documentOfWaiting } from "./identity-text.ts";
import { connectToChange } from "./owner-client.ts";

/** Makes the command `lockstep device`. */
export function deviceCommand(host: Host): Command {
  return new Command("device")
    .description("list, show, trust, drain and remove the devices of the cluster")
    .addHelpText("after", "\nExample:\n  lockstep device drain repo003 --wait && lockstep device remove repo003\n")
    .addCommand(listCommand(host))
    .addCommand(showCommand(host))
    .addCommand(drainCommand(host))
    .addCommand(undrainCommand(host))
    .addCommand(removeCommand(host))
    .addCommand(setCommand(host))
    .addCommand(authorizedKeysCommand(host))
    .addCommand(enrollCommand(host))
    .addCommand(loginCommand(host))
    .addCommand(trustCommand(host, "device"))
    .addCommand(revokeCommand(host, "device"));
}

function listCommand(host: Host): Command {
  return subcommand("list", "list the devices", "lockstep device list", "device").action(async (flags) => {
    const run = prepare(host, "device", flags);
    await using client = await connectToChange(run);
    const { devices } = await client.call("ListDevices", {}, run.patience);
    const { waiting } = await client.call("ListIdentities", { role: "device" }, run.patience);
    run.print(
      { devices: devices.map(documentOfDevice), waiting: waiting.map(documentOfWaiting) },
      [describeDevices(devices), describeWaiting(waiting)].filter(Boolean).join("\n\n"),
    );
  });
}

function showCommand(host: Host): Command {
  return subcommand(
    "show",
    "show one device: its replicas, and what only it has",
    "lockstep device show repo003",
    "device",
  )
    .argument("<name>")
    .action(async (device: string, flags) => {
      const run = prepare(host, "device", flags);
      await using client = await connectToChange(run);
      const { identities, waiting } = await client.call(
        "ListIdentities",
        { role: "device", name: device },
        run.patience,
      );
      const keys = {
        document: {
          keys: identities.flatMap((each) => documentOf(each).keys),
          waiting: waiting.map(documentOfWaiting),
        },
        text: [describeIdentity(identities[0]), describeWaiting(waiting)].filter(Boolean).join("\n\n"),
      };
      const details = await client.call("GetDevice", { device }, run.patience).catch((error: unknown) => {
        // It may be in the registry before it has ever run.
        const isKnown = identities.length + waiting.length > 0;
        if (isKnown && error instanceof LockstepError && error.code === "DEVICE_NOT_FOUND") return undefined;
        throw error;
      });
      if (details) print(run, details.device, keys);
      else run.print({ name: device, state: "unknown", ...keys.document }, keys.text);
    });
}

function drainCommand(host: Host): Command {
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
      print(run, flags.wait ? await untilDrained(run, client, device) : asked.device);
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
      throw new Exit(ExitCode.NOT_NOW);
    });
  }
}

function undrainCommand(host: Host): Command {
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
      print(run, (await client.call("UndrainDevice", { device, author: authorOf(host) }, run.patience)).device);
    });
}

function removeCommand(host: Host): Command {
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
      print(run, (await client.call("RemoveDevice", { device, author: authorOf(host) }, run.patience)).device);
    });
}

/** Asks the operator. Throws Exit on another answer than yes and with --json, USAGE without a terminal to ask on. */
async function confirmRemoval(run: Run, details: Details | null): Promise<void> {
  const { host, json } = run;
  if (json) {
    print(run, details);
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

function setCommand(host: Host): Command {
  return subcommand("set", "change the settings of a device", "lockstep device set repo003 --no-writes", "device")
    .argument("<name>")
    .option("--writes", "let it take writes")
    .option("--no-writes", "let it only serve reads; pushes to it are refused before their upload")
    .action(async (device: string, flags: { writes?: boolean }) => {
      const run = prepare(host, "device", flags);
      if (flags.writes === undefined)
        throw new LockstepError("USAGE", "No setting is given; `lockstep device set --help` lists the settings.");
      await using client = await connectToChange(run);
      const request = { device, writes: flags.writes, author: authorOf(host) };
      print(run, (await client.call("SetDevice", request, run.patience)).device);
    });
}

function print(run: Run, details: Details | null, keys?: { document: object; text: string }): void {
  const document = {
    ...(details?.device && documentOfDevice(details.device)),
    replicas: { there: there(details?.device), all: Number(details?.device?.replicas) },
    only_here: details?.onlyHere,
    more_only_here: Number(details?.moreOnlyHere),
    writing: details?.writing,
    drained: details?.drained,
    ...keys?.document,
  };
  run.print(document, [describeDevice(details), keys?.text].filter(Boolean).join("\n\n"));
}

// `lockstep device`: which devices there are, and what an operator does to grow or shrink the cluster.

import { Command } from "commander";
import { LockstepError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { revokeCommand, trustCommand } from "../parts/key-commands.ts";
import { connectToChange } from "../parts/owner-client.ts";
import { authorOf, prepare, subcommand } from "../terminal/command.ts";
import { describeDevices, documentOfDevice, printDevice } from "../text/device.ts";
import { describeIdentity, describeWaiting, documentOf, documentOfWaiting } from "../text/identity.ts";
import { authorizedKeysCommand } from "./device-authorized-keys.ts";
import { drainCommand, undrainCommand } from "./device-drain.ts";
import { enrollCommand } from "./device-enroll.ts";
import { loginCommand } from "./device-login.ts";
import { removeCommand } from "./device-remove.ts";

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
      if (details) printDevice(run, details.device, keys);
      else run.print({ name: device, state: "unknown", ...keys.document }, keys.text);
    });
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
      printDevice(run, (await client.call("SetDevice", request, run.patience)).device);
    });
}

import type { Command } from "commander";
import type { Host } from "../host.ts";
import { prepare, subcommand, table } from "./command.ts";

export function statusCommand(host: Host): Command {
  return subcommand(
    "status",
    "the cluster at a glance: devices, and repositories that are not at rest",
    "lockstep status",
  ).action(async (flags) => {
    const run = prepare(host, "status", flags);
    using client = run.connect();
    const { devices, repositories } = await client.call("GetStatus", {}, run.patience);
    const document = {
      devices: devices.map(({ name, live, zone, grpcAddress, gitAddress }) => ({
        name,
        live,
        zone,
        grpc: grpcAddress,
        git: gitAddress,
      })),
      repositories: repositories.map(({ repository, headVersion, behind, broken, leaders, writing }) => ({
        name: repository,
        version: Number(headVersion),
        leaders,
        behind,
        broken,
        writing,
        unsafe: leaders.length < 2,
      })),
    };
    const deviceRows = devices.map(({ name, live, zone, grpcAddress }) => [
      name,
      live ? "live" : "down",
      zone,
      grpcAddress,
    ]);
    const unrest = document.repositories.map((each) => [
      each.name,
      String(each.version),
      [
        each.behind.length > 0 ? `behind: ${each.behind.join(", ")}` : "",
        each.broken.length > 0 ? `broken: ${each.broken.join(", ")}` : "",
        each.unsafe ? `unsafe: its head is on ${each.leaders.join(", ") || "no device"} only` : "",
        each.writing ? "writing" : "",
      ]
        .filter(Boolean)
        .join("; "),
    ]);
    const second =
      unrest.length === 0 ? "All repositories are at rest." : table(["repository", "version", "what"], unrest);
    run.print(document, `${table(["device", "state", "zone", "grpc"], deviceRows)}\n\n${second}`);
  });
}

import type { Command } from "commander";
import type { UnknownDirectory__Output as Unknown } from "../../generated/lockstep/v1/UnknownDirectory.ts";
import { isStuck, stuckHead } from "../../health/stuck-head.ts";
import { unsafeHead } from "../../health/unsafe-head.ts";
import type { Host } from "../../host.ts";
import { prepare, subcommand } from "../terminal/command.ts";
import { table } from "../terminal/styled.ts";
import { describeDevices, documentOfDevice } from "../text/device.ts";
import { describeRevoked, describeWaiting, documentOfKey, documentOfWaiting } from "../text/identity.ts";
import { describeScrubs, documentOfScrub } from "../text/scrubs.ts";
import { verdictOf } from "../text/status-verdict.ts";
import { instant } from "../text/times.ts";
import { describeKept, documentOfKept } from "./retention.ts";
import { describeStop, documentOfStop } from "./write-lock.ts";

/** Makes the command `lockstep status`. */
export function statusCommand(host: Host): Command {
  return subcommand(
    "status",
    "show the cluster at a glance: devices, and repositories that are not at rest",
    "lockstep status",
  ).action(async (flags) => {
    const run = prepare(host, "status", flags);
    using client = await run.connect();
    const { devices, repositories, writeLocks, unknown, kept, scrubs, waitingKeys, revokedKeys, warnings } =
      await client.call("GetStatus", {}, run.patience);
    const live = new Set(devices.filter((device) => device.live).map(({ name }) => name));
    const document = {
      devices: devices.map(documentOfDevice),
      repositories: repositories.map(
        ({ repository, headVersion, behind, broken, leaders, writing, writesStopped, stopped, unsafe, landedAt }) => ({
          name: repository,
          version: Number(headVersion),
          landed_at: landedAt && instant(landedAt),
          leaders,
          behind,
          broken,
          writing,
          unsafe,
          // A leader that is down cannot send the head to the other devices.
          stuck: isStuck(
            { head: BigInt(headVersion), leaders, landedAt: landedAt && new Date(instant(landedAt)) },
            live,
          ),
          stopped: stopped || null,
          drained: writesStopped || writeLocks.some((stop) => stop.repository === ""),
        }),
      ),
      waiting_keys: waitingKeys.map(documentOfWaiting),
      revoked_keys: revokedKeys.map((key) => ({ role: key.role, name: key.name, ...documentOfKey(key) })),
      write_locks: writeLocks.map(documentOfStop),
      warnings,
      kept: kept.map(documentOfKept),
      unknown: unknown.map(documentOfUnknown),
      scrubs: scrubs.map((scrub) => ({
        repository: scrub.repository,
        device: scrub.device,
        ...documentOfScrub(scrub),
      })),
    };
    const notAtRest = document.repositories.map((each) => [
      each.name,
      String(each.version),
      [
        each.stopped ? `stopped: ${each.stopped}` : "",
        each.stuck ? stuckHead({ head: BigInt(each.version), leaders: each.leaders }) : "",
        each.behind.length > 0 ? `behind: ${each.behind.join(", ")}` : "",
        each.broken.length > 0 ? `broken: ${each.broken.join(", ")}` : "",
        each.unsafe && !each.stuck ? unsafeHead(each.leaders) : "",
        each.writing ? "writing" : "",
        each.drained ? "writes stopped" : "",
      ]
        .filter(Boolean)
        .join("; "),
    ]);
    const second =
      notAtRest.length === 0 ? "All repositories are at rest." : table(["repository", "version", "what"], notAtRest);
    const stopped = writeLocks.map((stop) => `Writes are stopped to ${describeStop(stop)}.`);
    const parts = [
      verdictOf(document),
      describeDevices(devices),
      second,
      stopped.join("\n"),
      describeWaiting(waitingKeys),
      describeRevoked(revokedKeys),
      warnings.join("\n"),
      describeUnknown(unknown),
      describeScrubs(scrubs),
      describeKept(kept),
    ];
    run.print(document, parts.filter(Boolean).join("\n\n"));
  });
}

/** Returns a directory for the document. Only a directory that was a replica has a version. */
function documentOfUnknown({ device, path, repository, version }: Unknown) {
  return { device, path, repository, version: version === "0" ? null : Number(version) };
}

function describeUnknown(unknown: readonly Unknown[]): string {
  if (unknown.length === 0) return "";
  const rows = unknown.map(({ device, path, version }) => [
    device,
    path,
    version === "0" ? "a repository" : `a replica at version ${version}`,
  ]);
  return (
    "The database does not know these directories. `lockstep repo adopt NAME` takes one in, on its device; nothing else touches them.\n" +
    table(["device", "path", "what"], rows)
  );
}

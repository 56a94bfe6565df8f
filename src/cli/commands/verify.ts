import type { Command } from "commander";
import { displayRef, nameFromBytes } from "../../domain.ts";
import { ExitCode } from "../../errors.ts";
import type { VerifyReplicaResponse__Output as Answer } from "../../generated/lockstep/v1/VerifyReplicaResponse.ts";
import type { Host } from "../../host.ts";
import { Exit, prepare, subcommand } from "../terminal/command.ts";
import { showWhile } from "../terminal/progress.ts";
import { table } from "../terminal/styled.ts";

const PATIENCE_MS = 600_000;
/** A large repository has objects for hours. */
const FULL_PATIENCE_MS = 24 * 3_600_000;

/** Makes the command `lockstep verify`. */
export function verifyCommand(host: Host): Command {
  return subcommand(
    "verify",
    "compare this device's refs with the log, and repair the differences",
    "lockstep verify team/app --full",
  )
    .argument("<name>")
    .option("--full", "also read every object")
    .action(async (name: string, flags) => {
      const run = prepare(host, "verify", flags);
      using client = await run.connect();
      const full = flags.full === true;
      const options = { timeoutMs: full ? FULL_PATIENCE_MS : PATIENCE_MS, signal: host.stop };
      const doing = full ? "reading every object" : "comparing every ref on disk with the log";
      const answer = await showWhile(run, doing, client.call("VerifyReplica", { repository: name, full }, options));
      const differences = answer.differences.map((each) => ({
        ref: displayRef(nameFromBytes(each.name)),
        on_disk: each.onDisk || null,
        in_log: each.inLog || null,
      }));
      const document = {
        repository: name,
        device: answer.device,
        version: Number(answer.version),
        refs: answer.refs,
        ok: differences.length + answer.damage.length === 0,
        differences,
        damage: answer.damage,
        failure: answer.failure || null,
      };
      if (document.ok) {
        run.print(
          document,
          `${name} on ${answer.device}: all ${answer.refs} refs are those of version ${answer.version}.`,
        );
        return;
      }
      run.print(document, describe(name, answer, document));
      throw new Exit(ExitCode.FAILED);
    });
}

function describe(
  name: string,
  { device, version, more, damage, failure }: Answer,
  { differences }: { differences: { ref: string; on_disk: string | null; in_log: string | null }[] },
): string {
  const parts: string[] = [];
  if (differences.length > 0) {
    const rows = differences.map((each) => [each.ref, each.on_disk ?? "(none)", each.in_log ?? "(none)"]);
    parts.push(table(["ref", "was on disk", "in the log"], rows));
    parts.push(`${differences.length + more} refs of ${name} on ${device} were not those of version ${version}.`);
  }
  if (damage.length > 0) parts.push(`Damaged: ${damage.join(", ")}.`);
  parts.push(
    failure === ""
      ? `Repaired. The former values of refs are below refs/lockstep/lost/${version}/. In the root, .lockstep/damaged has the damaged files and .lockstep/foreign the files that are no refs.`
      : `Not repaired: ${failure}`,
  );
  return parts.join("\n\n");
}

import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import type { DemoCluster } from "../../demo/cluster.ts";
import { LockstepError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { IN_CLONE } from "../../installation.ts";
import { required } from "../../settings/read-config.ts";
import { prepare, subcommand } from "../terminal/command.ts";
import { Progress } from "../terminal/progress.ts";

/** Makes the command `lockstep demo`. */
export function demoCommand(host: Host): Command {
  return subcommand(
    "demo",
    "run three devices on this machine, with an embedded PostgreSQL, until Ctrl-C",
    "lockstep demo --devices 3",
  )
    .option("--devices <n>", "number of devices", "3")
    .option("--dir <dir>", "folder of all files (default: a temporary folder, removed at the end)")
    .option("--no-try", "skip the show")
    .action(async (flags: Record<string, string> & { try: boolean }) => {
      const run = prepare(host, "demo", flags);
      const devices = Number(flags.devices);
      if (!Number.isInteger(devices) || devices < 1 || devices > 20) {
        throw new LockstepError(
          "USAGE",
          `--devices must be a number from 1 to 20, not ${JSON.stringify(flags.devices)}.`,
        );
      }
      const dir =
        flags.dir === undefined ? await mkdtemp(join(tmpdir(), "lockstep-demo-")) : resolve(host.cwd, flags.dir);
      using progress = new Progress(host.stderr, run.json);
      const say = (line: string) => {
        progress.clear();
        if (!run.json) host.stdout.write(`${line}\n`);
      };
      const { Disposals, startCluster } = await import("../../demo/cluster.ts");
      try {
        await using stack = new Disposals();
        const refFormat = required(run.config, "ref-format");
        const options = { devices, dir, databaseUrl: run.config["database-url"], refFormat, host, say };
        progress.wait(`starting a database and ${devices} devices`);
        const cluster = await startCluster(options, stack);
        progress.stop();
        if (run.json) run.print(cluster, "");
        else {
          const { show } = await import("../../demo/show.ts");
          if (flags.try) await show(cluster, dir, host.env.PATH ?? "", say);
          describe(cluster, dir, say);
        }
        await untilStopped(host.stop);
        say("stopping …");
      } catch (error) {
        // The user stopped the demo while it started, so the error is no failure.
        if (!host.stop.aborted) throw error;
      } finally {
        if (flags.dir === undefined) await removeAll(dir);
      }
    });
}

/** Waits for `stop`, even after all sidecars and gates have ended: a test that starts them again needs this process. */
async function untilStopped(stop: AbortSignal): Promise<void> {
  // Node ends when only a promise is left, so a timer keeps it running.
  const awake = setInterval(() => {}, 60_000);
  await new Promise<void>((done) =>
    stop.aborted ? done() : stop.addEventListener("abort", () => done(), { once: true }),
  );
  clearInterval(awake);
}

/** Removes `dir` and the files of the database, which may lie elsewhere behind a link (postgres-home.ts). */
async function removeAll(dir: string): Promise<void> {
  const database = await realpath(join(dir, "postgres")).catch(() => dir);
  for (const path of [database, dir]) await rm(path, { recursive: true, force: true });
}

function describe(cluster: DemoCluster, dir: string, say: (line: string) => void): void {
  say("\nTry it:\n");
  for (const { name, gate } of cluster.devices) say(`  git clone ${gate.url}/demo.git    # ${name}`);
  const [first] = cluster.devices;
  if (first === undefined) return;
  say(`  ${first.http}/    # the status page, for a browser`);
  say(`\n  export LOCKSTEP_SOCKET_DIR=${first.socket.replace(/\/[^/]*$/, "")}`);
  const lockstep = IN_CLONE ? "npx lockstep" : "lockstep";
  say(`  ${lockstep} status`);
  say(`  ${lockstep} repo create another && ${lockstep} repo show another\n`);
  for (const { name, pid, grpc, http } of cluster.devices)
    say(`  ${name}: process ${pid}, gRPC ${grpc}, ${http}/readyz?verbose`);
  say(`\nLogs and repositories are below ${dir}. Ctrl-C stops everything.`);
}

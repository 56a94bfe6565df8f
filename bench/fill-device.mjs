// Measures how a new device is filled with repositories that nobody pushes to or reads, and what that costs the device
// from which it copies. The baseline of the rate is stock git, which clones such repositories one after another.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { issue } from "../dist/ca/authority.js";
import { writeCredentials } from "../dist/ca/credentials.js";
import { git, inFolder, median, report, sql, time, withCluster } from "./harness.mjs";
import { Branch } from "./http-push.mjs";
import { fill } from "./many-repositories.mjs";

/** BENCH_REPOSITORIES=10000 for the size of an old server; the default takes less than a minute. */
const MANY = Number(process.env.BENCH_REPOSITORIES ?? 300);
/** How many repositories the baseline clones, and how many pushes and clones are measured before the device comes. */
const CLONES = Math.min(30, MANY);
const BEFORE = 15;
const NEW = "newcomer";

export const benchmarks = {
  "fill a device": () =>
    inFolder((dir) =>
      withCluster(
        dir,
        async (cluster) => {
          const [device] = cluster.devices;
          await fill(cluster, MANY);
          const url = `${device.gate.url}/r/0.git`;
          const branch = new Branch(url, "pushed");
          const clone = async (from = url) => {
            const to = join(dir, "clone.git");
            const ms = await time(() => git(dir, "clone", "-q", "--bare", from, to));
            await rm(to, { recursive: true });
            return ms;
          };
          const look = async (pushes, clones) => {
            pushes.push(await time(() => branch.push()));
            clones.push(await clone());
          };
          await look([], []);
          const before = { pushes: [], clones: [] };
          while (before.pushes.length < BEFORE) await look(before.pushes, before.clones);
          const clonesMs = await time(async () => {
            for (let index = 0; index < CLONES; index += 1)
              await clone(`file://${join(device.root, `r/${index}.git`)}`);
          });
          const during = { pushes: [], clones: [] };
          const startedAt = performance.now();
          const sidecar = await joinDevice(dir, cluster);
          try {
            while ((await copied(cluster)) < MANY) {
              await look(during.pushes, during.clones);
              if (sidecar.exitCode !== null) throw new Error(`the new sidecar ended with ${sidecar.exitCode}`);
            }
          } finally {
            if (sidecar.exitCode === null) {
              sidecar.kill("SIGTERM");
              await once(sidecar, "exit");
            }
          }
          const rate = (count, ms) => (count / ms) * 1000;
          const ours = rate(MANY, performance.now() - startedAt);
          const baseline = rate(CLONES, clonesMs);
          const note = `${MANY} repositories of one commit, with pushes and clones at the source meanwhile; against git clone on one disk`;
          await report({ name: "fill a device", unit: "repositories/s", baseline, ours, ratio: ours / baseline, note });
          for (const [name, what] of [
            ["push", "pushes"],
            ["clone", "clones"],
          ]) {
            const [alone, beside] = [median(before[what]), median(during[what])];
            await report({
              ...{ name: `${name} while a device fills`, unit: "ms", aim: "≤ 1.2", baseline: alone, ours: beside },
              ...{ ratio: beside / alone, note: `median of ${during[what].length}, against ${BEFORE} before`, during },
            });
          }
        },
        1,
      ),
    ),
};

/** Returns how many replicas the new device has whole. */
async function copied(cluster) {
  const text =
    "select count(*)::int as n from lockstep.replica p where device = $1 and state = 'active' and (p.version > 0 or exists (select from lockstep.repository r where r.id = p.repository_id and r.head_version = 0))";
  const [{ n }] = await sql(cluster, text, [NEW]);
  return n;
}

/** Starts a sidecar that is no part of the demo, with a certificate of the demo's authority. */
async function joinDevice(dir, { ca, ca_dir: authority, database_url: databaseUrl }) {
  const pair = {
    certificatePem: readFileSync(join(authority, "ca.pem"), "utf8"),
    keyPem: readFileSync(join(authority, "ca.key"), "utf8"),
  };
  const home = join(dir, NEW);
  const names = { role: "device", name: NEW, hosts: ["localhost", "127.0.0.1"], days: 1 };
  const made = await writeCredentials(home, NEW, await issue(pair, names));
  const listen = async () => `127.0.0.1:${await freePort()}`;
  const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));
  return spawn(process.execPath, [program, "serve"], {
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ...{ PATH: process.env.PATH, HOME: home, LOCKSTEP_LOG_LEVEL: process.env.LOCKSTEP_LOG_LEVEL ?? "warn" },
      ...{ LOCKSTEP_DEVICE: NEW, LOCKSTEP_DATABASE_URL: databaseUrl, LOCKSTEP_ADVERTISE: "localhost" },
      ...{ LOCKSTEP_ROOT: join(home, "repositories"), LOCKSTEP_SOCKET_DIR: join(home, "run") },
      LOCKSTEP_LISTEN: await listen(),
      LOCKSTEP_GIT_LISTEN: await listen(),
      LOCKSTEP_HTTP_LISTEN: await listen(),
      ...{ LOCKSTEP_TLS_CERT: made.certificate, LOCKSTEP_TLS_KEY: made.key, LOCKSTEP_TLS_CA: ca },
    },
  });
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

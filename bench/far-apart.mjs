// Counts the round trips of a push, a read and a catch-up between sites that are 50 and 150 ms apart. A proxy delays
// each byte between sidecars and PostgreSQL, and between sidecars. What a step takes longer than without a delay,
// divided by the delay, is how many round trips it waits for. The gate and its client are at the site of their sidecar.
import { connect, createServer } from "node:net";
import { Client } from "../dist/client/client.js";
import { endSidecar, inFolder, median, report, serveAgain, time, withCluster } from "./harness.mjs";
import { Branch, pushesPerSecond } from "./http-push.mjs";

const DELAYS_MS = [0, 50, 150];
const TIMES = 7;
/** They push to one repository at the same time. */
const PUSHERS = 16;
/** Sidecars listen here for each other. The proxies are at 127.0.0.1, with the same ports. */
const BEHIND = "127.0.0.2";

export const benchmarks = {
  "sites far apart": () =>
    inFolder((dir) =>
      withCluster(
        dir,
        async (cluster) => {
          const far = await moveApart(cluster);
          try {
            const [here, there] = cluster.devices;
            const steps = await measure(far, here, there);
            await report({
              name: "sites far apart",
              unit: "ms",
              ours: steps.find(({ delayMs }) => delayMs === 50).pushMs,
              aim: "push 2, read 1, current elsewhere 3",
              steps,
              note: steps.map(said).join("; "),
            });
          } finally {
            await far.end();
          }
        },
        2,
      ),
    ),
};

/** Starts the sidecars again, each behind proxies. */
async function moveApart(cluster) {
  const ends = [];
  const far = {
    oneWayMs: 0,
    async end() {
      for (const end of ends.reverse()) await end();
    },
  };
  const database = new URL(cluster.database_url);
  const { port } = await listenFar(far, 0, { host: database.hostname, port: Number(database.port) }, ends);
  database.hostname = "127.0.0.1";
  database.port = String(port);
  for (const device of cluster.devices) {
    await endSidecar(device);
    const gitPort = Number(device.env.LOCKSTEP_GIT_LISTEN.split(":")[1]);
    await listenFar(far, gitPort, { host: BEHIND, port: gitPort }, ends);
    const behind = { LOCKSTEP_DATABASE_URL: database.href, LOCKSTEP_GIT_LISTEN: `${BEHIND}:${gitPort}` };
    const { stop } = await serveAgain({ ...device, env: { ...device.env, ...behind } });
    ends.push(stop);
  }
  return far;
}

/** Passes connections on to `target`, each byte `far.oneWayMs` later. */
async function listenFar(far, port, target, ends) {
  const open = new Set();
  const server = createServer((near) => {
    const other = connect(target);
    for (const [from, to] of [
      [near, other],
      [other, near],
    ]) {
      open.add(from);
      from.setNoDelay(true);
      from.on("data", (bytes) => setTimeout(() => to.writable && to.write(bytes), far.oneWayMs));
      from.on("end", () => setTimeout(() => to.end(), far.oneWayMs));
      from.on("error", () => to.destroy());
      from.on("close", () => open.delete(from));
    }
  });
  await new Promise((done) => server.listen(port, "127.0.0.1", done));
  ends.push(async () => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return server.address();
}

async function measure(far, here, there) {
  const branch = new Branch(`${here.gate.url}/demo.git`, "main");
  const [reader, elsewhere] = [here, there].map(({ socket }) => new Client({ socket }));
  const read = (client) => client.call("BeforeRead", { repository: "demo" }, { timeoutMs: 30_000 });
  const branches = Array.from({ length: PUSHERS }, (_, n) => new Branch(`${here.gate.url}/demo.git`, `b${n}`));
  const rounds = [];
  try {
    for (const delayMs of DELAYS_MS) {
      far.oneWayMs = delayMs / 2;
      const times = { pushMs: [], readMs: [], elsewhereMs: [] };
      // The first round opens the connections.
      for (let round = -1; round < TIMES; round += 1) {
        const pushed = await time(() => branch.push());
        const caughtUp = await time(() => read(elsewhere));
        const current = await time(() => read(reader));
        if (round < 0) continue;
        times.pushMs.push(pushed);
        times.elsewhereMs.push(caughtUp);
        times.readMs.push(current);
      }
      const landed = await pushesPerSecond(branches);
      rounds.push({ delayMs, ...mapped(times, median), pushesPerSecond: landed });
    }
  } finally {
    for (const client of [reader, elsewhere]) client[Symbol.dispose]();
  }
  const [near] = rounds;
  return rounds.map((round) => ({
    ...round,
    trips:
      round.delayMs === 0
        ? undefined
        : Object.fromEntries(
            ["pushMs", "readMs", "elsewhereMs"].map((key) => [key, (round[key] - near[key]) / round.delayMs]),
          ),
  }));
}

function mapped(object, change) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}

function said({ delayMs, pushMs, readMs, elsewhereMs, trips, pushesPerSecond: landed }) {
  const each = (ms, count) => `${ms.toFixed(0)} ms${count === undefined ? "" : ` (${count.toFixed(1)} round trips)`}`;
  return (
    `${delayMs} ms apart: a push ${each(pushMs, trips?.pushMs)}, a read ${each(readMs, trips?.readMs)}, ` +
    `current elsewhere after it ${each(elsewhereMs, trips?.elsewhereMs)}, ` +
    `${PUSHERS} pushers ${landed.toFixed(0)} pushes a second`
  );
}

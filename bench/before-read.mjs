// Compares BeforeRead on a current replica with a bare grpc-js echo of the same messages. Each server is a process of
// its own. The same client in this process calls both over a unix socket.
//
// Calls one after another are slower than the echo at least by the round trip to the database. The "floor" in the
// report measures that: an echo that first asks the database `select 1`.
import { join } from "node:path";
import { Client } from "../dist/client/client.js";
import { compare, counter, inFolder, median, start, withCluster } from "./harness.mjs";

const SECONDS = 1;
const RUNS = 7;
const CALL = { timeoutMs: 10_000 };

export const benchmarks = {
  "before read, 64 in flight": () =>
    withServers(async ({ echo, sidecar, device }) => {
      const queriesPerCall = [];
      const ours = async () => {
        const before = await counter(device, "lockstep_head_queries_total");
        const rate = await callsPerSecond(sidecar, 64);
        const queries = (await counter(device, "lockstep_head_queries_total")) - before;
        queriesPerCall.push(queries / (rate * SECONDS));
        return rate;
      };
      await compare({
        name: "before read, 64 in flight",
        unit: "calls/s",
        aim: "≥ 0.85",
        runs: RUNS,
        baseline: () => callsPerSecond(echo, 64),
        ours,
        detail: () => {
          const most = Math.max(...queriesPerCall);
          return { queriesPerCall: most, note: `${most.toPrecision(2)} database queries a call` };
        },
      });
    }),
  "before read, one after another": () =>
    withServers(async ({ echo, asking, sidecar }) => {
      const floors = [];
      await compare({
        name: "before read, one after another",
        unit: "calls/s",
        aim: "≥ 0.7",
        runs: RUNS,
        baseline: async () => {
          floors.push(await callsPerSecond(asking, 1));
          return await callsPerSecond(echo, 1);
        },
        ours: () => callsPerSecond(sidecar, 1),
        detail: () => {
          const floor = median(floors);
          return {
            floor,
            note: `an echo that first asks the database \`select 1\` answers ${floor.toFixed(0)} calls/s`,
          };
        },
      });
    }),
};

async function withServers(work) {
  await inFolder((dir) =>
    withCluster(
      dir,
      async ({ devices: [device], database_url: url }) => {
        const servers = [
          await start("bench/echo-server.mjs", [join(dir, "echo.sock")]),
          await start("bench/echo-server.mjs", [join(dir, "asking.sock"), url]),
        ];
        const clients = [...servers, device].map(({ socket }) => new Client({ socket }));
        const [echo, asking, sidecar] = clients;
        try {
          await work({ echo, asking, sidecar, device });
        } finally {
          for (const client of clients) client[Symbol.dispose]();
          for (const server of servers) await server.stop();
        }
      },
      1,
    ),
  );
}

async function callsPerSecond(client, inFlight) {
  const startedAt = performance.now();
  const until = startedAt + SECONDS * 1000;
  let calls = 0;
  const caller = async () => {
    while (performance.now() < until) {
      await client.call("BeforeRead", { repository: "demo" }, CALL);
      calls += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  return (calls / (performance.now() - startedAt)) * 1000;
}

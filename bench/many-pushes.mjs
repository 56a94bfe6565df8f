// Measures a push of one commit to a repository after 100 pushes, and after thousands. Each push leaves a pack, a row
// in the log and a row of its write.
//
// The history consists of ordinary pushes through the gate, eight at a time. They run without git's client, whose
// process would be most of the work. The full form is BENCH_PUSHES=10000.
import { Client } from "../dist/client/client.js";
import { compare, inFolder, median, time, withCluster } from "./harness.mjs";
import { Branch } from "./http-push.mjs";

const PUSHES = Number(process.env.BENCH_PUSHES ?? 1_000);
const AT_ONCE = 8;
const TIMES = 15;

export const benchmarks = {
  "push after many": () =>
    inFolder((dir) =>
      withCluster(
        dir,
        async ({ devices: [device] }) => {
          const young = await repositoryAfter(device, "young", 100);
          const old = await repositoryAfter(device, "old", PUSHES);
          await compare({
            name: "push after many",
            aim: "≤ 1.2",
            runs: 7,
            baseline: () => typicalPush(young),
            ours: () => typicalPush(old),
            note: `after ${PUSHES} pushes against after 100; median of ${TIMES} pushes a run`,
          });
        },
        1,
      ),
    ),
};

/** Makes a repository, pushes to it `count` times, and returns a branch of it. */
async function repositoryAfter(device, repository, count) {
  const client = new Client({ socket: device.socket });
  await client.call("CreateRepository", { repository }, { timeoutMs: 30_000 });
  client[Symbol.dispose]();
  const branches = Array.from(
    { length: AT_ONCE },
    (_, n) => new Branch(`${device.gate.url}/${repository}.git`, `b${n}`),
  );
  let pushes = 0;
  const pusher = async (branch) => {
    while (pushes < count) {
      pushes += 1;
      await branch.push();
    }
  };
  await Promise.all(branches.map(pusher));
  return branches[0];
}

async function typicalPush(branch) {
  const times = [];
  for (let index = 0; index < TIMES; index += 1) times.push(await time(() => branch.push()));
  return median(times);
}

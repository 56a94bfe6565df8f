// Measures the time from the `ok` of a push until all three devices may serve its commit. The baseline is git's fetch
// of one commit from the same gate.
import { join } from "node:path";
import { Client } from "../dist/client/client.js";
import { compare, git, inFolder, time, withCluster } from "./harness.mjs";
import { Branch } from "./http-push.mjs";

const TIMES = 6;

export const benchmarks = {
  "readable everywhere": () =>
    inFolder((dir) =>
      withCluster(dir, async ({ devices }) => {
        const url = `${devices[0].gate.url}/demo.git`;
        const main = new Branch(url, "main");
        const copy = join(dir, "copy.git");
        await git(dir, "init", "-q", "--bare", copy);
        const clients = devices.map(({ socket }) => new Client({ socket }));
        const baseline = () =>
          mean(async () => {
            await main.push();
            await everywhere(clients);
            return await time(() => git(copy, "fetch", "-q", url, "+refs/heads/main:refs/heads/main"));
          });
        const ours = () =>
          mean(async () => {
            const tip = await main.push();
            const waited = await time(() => everywhere(clients));
            for (const { root } of devices) {
              const found = await git(join(root, "demo.git"), "rev-parse", "refs/heads/main");
              if (found !== tip) throw new Error(`${root} has ${found}, not ${tip}`);
            }
            return waited;
          });
        try {
          await compare({
            name: "readable everywhere",
            aim: "≤ 1.5",
            baseline,
            ours,
            note: `from the end of the report until BeforeRead has answered on ${devices.length} devices, asked at that moment; mean of ${TIMES} pushes a run`,
          });
        } finally {
          for (const client of clients) client[Symbol.dispose]();
        }
      }),
    ),
};

async function everywhere(clients) {
  await Promise.all(clients.map((client) => client.call("BeforeRead", { repository: "demo" }, { timeoutMs: 10_000 })));
}

async function mean(measure) {
  let sum = 0;
  for (let index = 0; index < TIMES; index += 1) sum += await measure();
  return sum / TIMES;
}

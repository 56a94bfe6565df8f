// Measures reads of refs through the gate, beside the same gate on a bare repository without Lockstep. The replica has
// not changed since the last read, as with CI runners and web pages that look for news.
import { Agent } from "node:http";
import { join } from "node:path";
import { compare, exchange, git, inFolder, start, time, withCluster } from "./harness.mjs";

const REFS = 1_000;
const CLIENTS = 16;
/** How long one run of the clients lasts. */
const RUN_MS = 2_000;

export const benchmarks = {
  "git ls-remote": () =>
    withGates(async ([plain, ours]) => {
      const list = async (url) => {
        let sum = 0;
        for (let index = 0; index < 10; index += 1) sum += await time(() => git("/", "ls-remote", "-q", url));
        return sum / 10;
      };
      await compare({
        name: "git ls-remote",
        aim: "≤ 1.05",
        baseline: () => list(plain),
        ours: () => list(ours),
        note: `${REFS} refs, with git's client`,
      });
    }),
  "list refs, 16 clients": () =>
    withGates(async ([plain, ours]) => {
      await compare({
        name: "list refs, 16 clients",
        unit: "reads/s",
        aim: "≥ 5",
        baseline: () => readsPerSecond(plain),
        ours: () => readsPerSecond(ours),
        note: `${REFS} refs, ${CLIENTS} clients that are no processes`,
      });
    }),
};

async function withGates(work) {
  await inFolder(async (dir) => {
    await git(dir, "init", "-q", "--bare", "plain/app.git");
    const plain = await start("bench/plain-gate.mjs", [join(dir, "plain")]);
    try {
      await withCluster(dir, async (cluster) => {
        const [device] = cluster.devices;
        const urls = [`${plain.url}/app.git`, `${device.gate.url}/demo.git`];
        await git(dir, "init", "-q", "work");
        const from = join(dir, "work");
        await git(from, "commit", "-q", "--allow-empty", "-m", "x");
        const names = Array.from({ length: REFS }, (_, index) => `HEAD:refs/heads/b${index}`);
        for (const url of urls) await git(from, "push", "-q", url, ...names);
        await work(urls);
      });
    } finally {
      await plain.stop();
    }
  });
}

async function readsPerSecond(url) {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const until = performance.now() + RUN_MS;
  let reads = 0;
  const client = async () => {
    while (performance.now() < until) {
      await exchange(agent, `${url}/info/refs?service=git-upload-pack`);
      await exchange(agent, `${url}/git-upload-pack`, "0014command=ls-refs\n00010009peel\n000csymrefs\n0000");
      reads += 1;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  agent.destroy();
  return reads / (RUN_MS / 1000);
}

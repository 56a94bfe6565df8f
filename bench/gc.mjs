// Measures what gc is for, and what it costs.
//
// - "clone after many pushes", "fetch after many pushes": stock git reads the replica after many pushes, with the
//   sidecar tidying and collecting garbage as it always does. The baseline is a copy of the replica that git has just
//   repacked.
// - "push during gc": a push while one gc after another runs on the same replica, against a push without.
//
// The full form is BENCH_PUSHES=10000.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "../dist/client/client.js";
import { compare, git, inFolder, median, time, withCluster } from "./harness.mjs";
import { Branch } from "./http-push.mjs";

const PUSHES = Number(process.env.BENCH_PUSHES ?? 2_000);
const AT_ONCE = 8;
const TIMES = 15;
/** The size of the repository in which a push meets a gc. */
const COMMITS = 5_000;
const FILE_BYTES = 10_000;
/** How many pushes the fetching repository is behind. */
const BEHIND = 20;

export const benchmarks = {
  "clone after many pushes": () =>
    inFolder((dir) =>
      withCluster(
        dir,
        async ({ devices: [device] }) => {
          const { branches, replica } = await repositoryAfter(device, "app", PUSHES);
          const client = join(dir, "client.git");
          await git(dir, "clone", "-q", "--bare", `file://${replica}`, client);
          for (let index = 0; index < BEHIND; index += 1) await branches[0].push();
          const fresh = join(dir, "fresh.git");
          await cp(replica, fresh, { recursive: true, verbatimSymlinks: true });
          await git(fresh, "repack", "-adbq");
          await git(fresh, "commit-graph", "write", "--reachable");
          const packs = Number(/^packs: (\d+)$/m.exec(await git(replica, "count-objects", "-v"))[1]);
          const note = `after ${PUSHES} pushes, against a copy that git has just repacked`;
          const clone = (from) => async () => {
            const to = join(dir, "clone.git");
            const ms = await time(() => git(dir, "clone", "-q", "--bare", `file://${from}`, to));
            await rm(to, { recursive: true });
            return ms;
          };
          await compare({
            ...{ name: "clone after many pushes", aim: "≤ 1.1", runs: 9, note },
            ...{ baseline: clone(fresh), ours: clone(replica), detail: () => ({ packs }) },
          });
          const fetch = (from) => async () => {
            const to = join(dir, "fetch.git");
            await cp(client, to, { recursive: true });
            const ms = await time(() => git(to, "fetch", "-q", `file://${from}`, "+refs/heads/*:refs/heads/*"));
            await rm(to, { recursive: true });
            return ms;
          };
          await compare({
            ...{ name: "fetch after many pushes", aim: "≤ 1.1", runs: 15, note: `${note}; ${BEHIND} pushes behind` },
            ...{ baseline: fetch(fresh), ours: fetch(replica), detail: () => ({ packs }) },
          });
        },
        1,
      ),
    ),
  "push during gc": () =>
    inFolder((dir) =>
      withCluster(
        dir,
        async ({ devices: [device] }) => {
          const { branches } = await repositoryAfter(device, "app", AT_ONCE);
          await pushLarge(dir, `${device.gate.url}/app.git`);
          let collections = 0;
          const during = async () => {
            let over = false;
            const collecting = (async () => {
              while (!over) {
                await collect(device, "app");
                collections += 1;
              }
            })();
            const ms = await typicalPush(branches[0]);
            over = true;
            await collecting;
            return ms;
          };
          await compare({
            ...{ name: "push during gc", aim: "≤ 1.2", runs: 7 },
            baseline: () => typicalPush(branches[0]),
            ours: during,
            note: `one gc after another in a repository of ${COMMITS} commits; median of ${TIMES} pushes a run`,
            detail: () => ({ collections }),
          });
        },
        1,
      ),
    ),
};

/** Makes a repository and pushes to it `count` times. Returns the branches and the directory of the replica. */
async function repositoryAfter(device, repository, count) {
  const client = new Client({ socket: device.socket });
  await client.call("CreateRepository", { repository }, { timeoutMs: 30_000 });
  client[Symbol.dispose]();
  const url = `${device.gate.url}/${repository}.git`;
  const branches = Array.from({ length: AT_ONCE }, (_, n) => new Branch(url, `b${n}`));
  let pushes = 0;
  const pusher = async (branch) => {
    while (pushes < count) {
      pushes += 1;
      await branch.push();
    }
  };
  await Promise.all(branches.map(pusher));
  return { branches, replica: join(device.root, `${repository}.git`) };
}

/** Pushes a branch of many commits, each with a file that does not compress. */
async function pushLarge(dir, url) {
  const large = join(dir, "large.git");
  await git(dir, "init", "-q", "--bare", large);
  const child = spawn("git", ["fast-import", "--quiet"], { cwd: large, stdio: ["pipe", "ignore", "inherit"] });
  const ended = once(child, "exit");
  for (let index = 0; index < COMMITS; index += 1) {
    const content = randomBytes(FILE_BYTES).toString("latin1");
    const head = `commit refs/heads/large\ncommitter b <b@example.org> ${1_700_000_000 + index} +0000\ndata 0\n\n`;
    child.stdin.write(`${head}M 644 inline file${index % 100}\ndata ${FILE_BYTES}\n${content}\n`, "latin1");
  }
  child.stdin.end();
  await ended;
  await git(large, "push", "-q", url, "large");
}

/** Has the queue collect garbage, and waits for it. */
async function collect(device, repository) {
  const client = new Client({ socket: device.socket });
  const options = { timeoutMs: 120_000 };
  try {
    const { commands } = await client.call("EnqueueCommand", { repository, command: "gc" }, options);
    for (let ended = false; !ended; await sleep(20))
      ended = Boolean((await client.call("GetCommand", { id: commands[0].id }, options)).command.endedAt);
  } finally {
    client[Symbol.dispose]();
  }
}

async function typicalPush(branch) {
  const times = [];
  for (let index = 0; index < TIMES; index += 1) times.push(await time(() => branch.push()));
  return median(times);
}

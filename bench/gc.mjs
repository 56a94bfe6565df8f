// Measures what gc is for, and what it costs.
//
// - "clone after many pushes", "fetch after many pushes": stock git reads the replica after many pushes. The baseline is
//   a copy of the replica that git has just repacked. Most pushes are simulated (`manyPushes`).
// - "push during gc": a push while one gc after another packs all objects of the same replica anew, against a push
//   without. "push beside another program": the same, with a program of the lowest priority that computes in place of
//   gc. That is what the machine itself costs.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "../dist/client/client.js";
import { needsGc, readPackNeed } from "../dist/git/packs/pack-need.js";
import { rollUpPacks } from "../dist/git/packs/roll-up-packs.js";
import { compare, git, inFolder, median, time, withCluster } from "./harness.mjs";
import { Branch } from "./http-push.mjs";

const PUSHES = Number(process.env.BENCH_PUSHES ?? 10_000);
const BRANCHES = 8;
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
          const { branches, replica } = await makeRepository(device, "app");
          const collections = await manyPushes(device, branches, replica);
          const client = join(dir, "client.git");
          await git(dir, "clone", "-q", "--bare", `file://${replica}`, client);
          for (let index = 0; index < BEHIND; index += 1) await branches[0].push();
          const fresh = join(dir, "fresh.git");
          await cp(replica, fresh, { recursive: true, verbatimSymlinks: true });
          await git(fresh, "repack", "-adbq");
          await git(fresh, "commit-graph", "write", "--reachable");
          const packs = Number(/^packs: (\d+)$/m.exec(await git(replica, "count-objects", "-v"))[1]);
          const note = `after ${PUSHES} pushes and ${collections} gcs, against a copy that git has just repacked`;
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
          const { branches, replica } = await makeRepository(device, "app");
          await pushLarge(dir, `${device.gate.url}/app.git`);
          let collections = 0;
          const during = async () => {
            let over = false;
            const collecting = (async () => {
              while (!over) {
                // Without this note all objects are due to be packed anew.
                await rm(join(replica, "objects/info/lockstep-gc"), { force: true });
                await collect(device, "app");
                collections += 1;
              }
            })();
            const ms = await typicalPush(branches[0]);
            over = true;
            await collecting;
            return ms;
          };
          const besideAnother = async () => {
            const other = spawn("nice", ["-n", "19", "sha1sum", "/dev/zero"], { stdio: "ignore" });
            const ms = await typicalPush(branches[0]);
            other.kill();
            return ms;
          };
          await compare({
            ...{ name: "push during gc", aim: "≤ 1.2", runs: 7 },
            baseline: () => typicalPush(branches[0]),
            ours: during,
            note: `one gc after another in a repository of ${COMMITS} commits; median of ${TIMES} pushes a run`,
            detail: () => ({ collections }),
          });
          await compare({
            ...{ name: "push beside another program", runs: 5 },
            baseline: () => typicalPush(branches[0]),
            ours: besideAnother,
            note: "without gc, while a program of the lowest priority computes",
          });
        },
        1,
      ),
    ),
};

/** Makes a repository. Returns its branches, each with one commit, and the directory of the replica. */
async function makeRepository(device, repository) {
  const client = new Client({ socket: device.socket });
  await client.call("CreateRepository", { repository }, { timeoutMs: 30_000 });
  client[Symbol.dispose]();
  const url = `${device.gate.url}/${repository}.git`;
  const branches = Array.from({ length: BRANCHES }, (_, n) => new Branch(url, `b${n}`));
  for (const branch of branches) await branch.push();
  return { branches, replica: join(device.root, `${repository}.git`) };
}

/** After so many pushes the sidecar looks at the packs, and rolls them up when there are so many (replica/tidy.ts). */
const ARRIVALS = 25;
const PACKS_LIMIT = 50;

/**
 * Has PUSHES pushes come to a replica. Each leaves a pack of three objects, as a push does. Most are only written into
 * the directory, since ten thousand real ones would take minutes. Real pushes make them reachable before each gc and at
 * the end. The packs are rolled up by the function of the sidecar, as often as the sidecar would. The sidecar collects
 * garbage whenever its rule says so. Returns how many gcs there were.
 */
async function manyPushes(device, branches, replica) {
  const directory = join(replica, "objects", "pack");
  const context = { path: process.env.PATH, home: replica, lockFd: null };
  let collections = 0;
  for (let push = 1; push <= PUSHES; push += 1) {
    const { sum, pack, index } = branches[push % BRANCHES].grow();
    const name = join(directory, `pack-${sum.toString("hex")}`);
    writeFileSync(`${name}.pack`, pack);
    writeFileSync(`${name}.idx`, index());
    if (push % ARRIVALS > 0) continue;
    await rollUpPacks(context, replica, PACKS_LIMIT, AbortSignal.timeout(60_000));
    if (!needsGc(await readPackNeed(replica), "1")) continue;
    await Promise.all(branches.map((branch) => branch.push()));
    await collect(device, "app");
    collections += 1;
  }
  await Promise.all(branches.map((branch) => branch.push()));
  return collections;
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

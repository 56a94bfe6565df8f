// Catch-up of one commit, against the fetch of a mirror over https from the same device with the same certificates; and a first
// copy over the pack stream against one by stock git. The follower hears no notifications, so that it begins when the clock does.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "../dist/client/client.js";
import { compare, git, inFolder, time, withCluster } from "./harness.mjs";

export const benchmarks = {
  "catch up one commit 90 refs": () => catchUpWith(90, "≤ 0.5"),
  "catch up one commit 100000 refs": () => catchUpWith(100_000, "≤ 0.01"),
};

async function catchUpWith(refs, aim) {
  await withFollower(async ({ dir, work, leader, read, fetchMirror }) => {
    const source = join(dir, "source.git");
    await makeHistory(source, refs);
    await git(source, "push", "-q", leader.url, "refs/*:refs/*");
    await git(work, "fetch", "-q", source, "refs/heads/main:refs/heads/main");
    await read();
    await fetchMirror();
    const advance = async () => {
      const tree = await git(work, "rev-parse", "main^{tree}");
      const tip = await git(work, "commit-tree", "-p", "main", "-m", `${Math.random()}`, tree);
      await git(work, "push", "-q", leader.url, `${tip}:refs/heads/main`);
      await git(work, "update-ref", "refs/heads/main", tip);
    };
    await compare({
      name: `catch up one commit ${refs} refs`,
      aim,
      runs: Number(process.env.BENCH_RUNS ?? 7),
      async baseline() {
        await advance();
        await read();
        return await time(fetchMirror);
      },
      async ours() {
        for (;;) {
          await advance();
          await fetchMirror();
          let fetched;
          const taken = await time(async () => {
            fetched = (await read()).fetched;
          });
          // Otherwise polling, which comes every five seconds, was faster.
          if (fetched) return taken;
        }
      },
      note: `a ref for each of ${refs} commits; ours from BeforeRead to its answer, objects and refs synced`,
    });
  });
}

/** Makes a repository with a history of `refs` commits, each of which changes one of 100 files and has a ref. */
async function makeHistory(repository, refs) {
  await git(dirname(repository), "init", "-q", "--bare", "-b", "main", repository);
  const lines = [];
  for (let index = 1; index <= refs; index += 1) {
    const content = `content ${index}\n`;
    lines.push(`commit refs/heads/main\ncommitter b <b@example.org> ${index} +0000\ndata 1\nx\n`);
    lines.push(`M 644 inline f${index % 100}\ndata ${content.length}\n${content}\n`);
  }
  execFileSync("git", ["-C", repository, "fast-import", "--quiet"], { input: lines.join("") });
  const commits = (await git(repository, "rev-list", "main")).split("\n");
  const packed = commits.map((id, index) => `${id} refs/pull/${index}/head\n`);
  writeFileSync(join(repository, "packed-refs"), packed.join(""), { flag: "a" });
}

/** Two devices, of which the second one is not told of new versions, and a mirror of the first. */
async function withFollower(work) {
  await inFolder(async (dir) => {
    await withCluster(
      dir,
      async (cluster) => {
        const [leader, follower] = cluster.devices;
        const again = await restartDeaf(cluster, follower);
        const client = new Client({ socket: follower.socket });
        try {
          await git(dir, "init", "-q", "--bare", "-b", "main", "work.git");
          await git(dir, "init", "-q", "--bare", "mirror.git");
          const workDir = join(dir, "work.git");
          const url = `${leader.gate.url}/demo.git`;
          const tls = { sslCert: follower.cert, sslKey: follower.key, sslCAInfo: cluster.ca };
          const settings = Object.entries(tls).flatMap(([key, value]) => ["-c", `http.${key}=${value}`]);
          await work({
            dir,
            work: workDir,
            leader: { ...leader, url },
            read: () => client.call("BeforeRead", { repository: "demo" }, { timeoutMs: 600_000 }),
            fetchMirror: () =>
              git(
                join(dir, "mirror.git"),
                ...settings,
                "fetch",
                "-q",
                "--prune",
                `${leader.git}/demo.git`,
                "+refs/*:refs/*",
              ),
          });
        } finally {
          client[Symbol.dispose]();
          again.kill("SIGTERM");
          await once(again, "exit");
        }
      },
      2,
    );
  });
}

/** Starts a device's sidecar again, with its ear at a database where nobody says anything. */
async function restartDeaf(cluster, device) {
  process.kill(device.pid, "SIGTERM");
  await until(async () => !(await ready(device)));
  const elsewhere = new URL(cluster.database_url);
  elsewhere.pathname = "/template1";
  const [program, ...args] = device.argv;
  const env = { ...device.env, LOCKSTEP_NOTIFY_DATABASE_URL: elsewhere.href };
  const child = spawn(program, args, { env, stdio: ["ignore", "ignore", "inherit"], cwd: dirname(device.root) });
  await until(() => ready(device));
  return child;
}

async function ready({ http }) {
  return await fetch(`${http}/readyz`).then(
    (response) => response.ok,
    () => false,
  );
}

async function until(condition) {
  while (!(await condition())) await sleep(20);
}

// Compares the catch-up of one commit with a mirror's fetch over https, from the same device with the same
// certificates. Compares a first copy over the pack stream with one by stock git. The follower gets no notifications,
// so its catch-up starts when the measurement starts.
import { execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "../dist/client/client.js";
import { fetchWithGit } from "../dist/git/objects/git-fetch.js";
import { receivePack } from "../dist/git/objects/receive-pack.js";
import { PackClient } from "../dist/git/peers/pack-stream.js";
import { TlsLine } from "../dist/git/peers/peer-lines.js";
import { compare, git, inFolder, sql, time, withCluster } from "./harness.mjs";

export const benchmarks = {
  "catch up one commit 90 refs": () => catchUpWith(90, "≤ 0.5"),
  "catch up one commit 100000 refs": () => catchUpWith(100_000, "≤ 0.01"),
  "first copy": firstCopy,
};

/**
 * Compares two transports for a whole repository (docs/decisions/0005). Both end with the same check of connectivity.
 */
async function firstCopy() {
  const commits = Number(process.env.BENCH_COMMITS ?? 10_000);
  await withFollower(async ({ dir, leader, follower, cluster }) => {
    const source = join(dir, "source.git");
    await makeHistory(source, commits, 8_000);
    await git(source, "push", "-q", leader.url, "main");
    const [{ id }] = await sql(cluster, "select id from lockstep.repository where name = 'demo'");
    const tip = await git(source, "rev-parse", "main");
    const files = { cert: follower.cert, key: follower.key, ca: cluster.ca };
    const tls = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, readFileSync(file, "utf8")]));
    const line = new TlsLine(tls, cluster.trust_domain);
    const client = new PackClient(line);
    const context = { path: process.env.PATH, home: dir, lockFd: null };
    const signal = new AbortController().signal;
    const incoming = { wants: [tip], haves: [], signal, onProgress() {} };
    const { publicKey } = new X509Certificate(readFileSync(leader.cert));
    const pin = createHash("sha256")
      .update(publicKey.export({ type: "spki", format: "der" }))
      .digest("base64");
    const peer = { address: new URL(leader.git).host, publicKey: pin };
    let copies = 0;
    const copy = async (receive) => {
      copies += 1;
      const target = join(dir, `copy${copies}.git`);
      await git(dir, "init", "-q", "--bare", target);
      await git(target, "config", "core.fsync", "all");
      const taken = await time(() => receive(target));
      rmSync(target, { recursive: true });
      return taken;
    };
    await compare({
      name: "first copy",
      aim: "≤ 1",
      runs: 5,
      baseline: () =>
        copy((target) =>
          fetchWithGit(context, target, { ...incoming, peer, credentials: files, name: "demo", objectFormat: "sha1" }),
        ),
      ours: () =>
        copy((target) => {
          const body = { repositoryId: id, version: "1", visit: "last", wants: [tip], haves: [] };
          const pack = client.open(leader.name, peer.address, body, signal, () => {});
          return receivePack(context, target, { ...incoming, pack });
        }),
      note: `${commits} commits of 8 kB that do not compress; baseline: stock git fetch, ours: the pack stream`,
    });
    line[Symbol.dispose]();
  });
}

async function catchUpWith(refs, aim) {
  await withFollower(async ({ dir, work, leader, read, fetchMirror }) => {
    const source = join(dir, "source.git");
    await makeHistory(source, refs);
    // A push into the directory: over HTTP, git compares every ref with every other.
    await git(source, "push", "-q", join(leader.root, "demo.git"), "refs/*:refs/*");
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
          let fetched;
          const taken = await time(async () => {
            fetched = (await read()).fetched;
          });
          await fetchMirror();
          // If nothing was fetched, the poll of every five seconds came first, and the run does not count.
          if (fetched) return taken;
        }
      },
      note: `a ref for each of ${refs} commits; ours from BeforeRead to its answer, objects and refs synced`,
    });
  });
}

/** Makes a repository with a history of `refs` commits, each of which changes one of 100 files and has a ref. */
async function makeHistory(repository, refs, bytes = 0) {
  await git(dirname(repository), "init", "-q", "--bare", "-b", "main", repository);
  const lines = [];
  for (let index = 1; index <= refs; index += 1) {
    const content = `content ${index}\n${randomBytes(bytes).toString("latin1")}`;
    lines.push(`commit refs/heads/main\ncommitter b <b@example.org> ${index} +0000\ndata 1\nx\n`);
    lines.push(`M 644 inline f${index % 100}\ndata ${content.length}\n${content}\n`);
  }
  execFileSync("git", ["-C", repository, "fast-import", "--quiet"], { input: Buffer.from(lines.join(""), "latin1") });
  const commits = (await git(repository, "rev-list", "main")).split("\n");
  const packed = commits.map((id, index) => `${id} refs/pull/${index}/head\n`);
  writeFileSync(join(repository, "packed-refs"), packed.join(""), { flag: "a" });
}

/** Starts two devices, the second of which gets no notifications, and a mirror of the first. Runs `work` with them. */
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
            follower,
            cluster,
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

/** Restarts the sidecar of a device. It listens for notifications on a database that sends none. */
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

// Compares ssh between devices with https: a pack of one commit over a kept connection, the same over a new connection,
// and a large pack. Both ways lead to the same sidecar, and a real sshd on loopback stands before it.
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { arch, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { PackClient } from "../dist/git/peers/pack-stream.js";
import { SshLine, TlsLine } from "../dist/git/peers/peer-lines.js";
import { compare, git, inFolder, sql, time, withCluster } from "./harness.mjs";

const NATIVE = fileURLToPath(new URL(`../dist/native/${arch()}/lockstep-git`, import.meta.url));
const LARGE_MIB = 128;

export const benchmarks = { "ssh beside https": sshBesideHttps };

async function sshBesideHttps() {
  await withDoor(async ({ cluster, dir, leader, follower, door }) => {
    const source = join(dir, "source.git");
    const tip = await makeHistory(source, leader);
    const [{ id }] = await sql(cluster, "select id from lockstep.repository where name = 'demo'");
    const files = { cert: follower.cert, key: follower.key, ca: cluster.ca };
    const tls = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, readFileSync(file, "utf8")]));
    const hostKeysFile = join(dir, "known_hosts");
    const hostKey = readFileSync(join(door.dir, "host.pub"), "utf8").split(" ").slice(0, 2).join(" ");
    writeFileSync(hostKeysFile, `${leader.name} ${hostKey}\n`);
    const target = { device: leader.name, user: userInfo().username, host: "127.0.0.1", port: door.port };
    const find = async () => ({ ...target, keyFile: door.clientKey, hostKeysFile, hostKeys: [] });
    const ways = {
      https: { make: () => new TlsLine(tls, cluster.trust_domain), address: new URL(leader.git).host },
      ssh: { make: () => new SshLine({ find, path: process.env.PATH }, () => undefined), address: "x@x:1" },
    };
    const take = async (line, { address }, wants, haves) => {
      const body = { repositoryId: id, version: "2", visit: "last", wants, haves };
      const signal = new AbortController().signal;
      const pack = await new PackClient(line).open(leader.name, address, body, signal, () => {});
      let bytes = 0;
      for await (const chunk of pack) bytes += chunk.length;
      return bytes;
    };
    const measure = async (way, wants, haves, { fresh }) => {
      if (fresh) {
        const line = way.make();
        const taken = await time(() => take(line, way, wants, haves));
        line[Symbol.dispose]();
        return taken;
      }
      way.kept ??= way.make();
      return await time(() => take(way.kept, way, wants, haves));
    };
    const cases = {
      "ssh beside https, kept connection": { wants: [tip.last], haves: [tip.first], fresh: false, runs: 40 },
      "ssh beside https, new connection": { wants: [tip.last], haves: [tip.first], fresh: true, runs: 10 },
      [`ssh beside https, ${LARGE_MIB} MiB`]: { wants: [tip.first], haves: [], fresh: false, runs: 3 },
    };
    for (const [name, { wants, haves, fresh, runs }] of Object.entries(cases)) {
      for (const way of Object.values(ways)) await measure(way, wants, haves, { fresh });
      await compare({
        name,
        aim: "no limit",
        runs,
        baseline: () => measure(ways.https, wants, haves, { fresh }),
        ours: () => measure(ways.ssh, wants, haves, { fresh }),
        note: "a pack of the same sidecar; baseline: https with mutual TLS, ours: ssh through sshd",
      });
    }
    for (const { kept } of Object.values(ways)) kept?.[Symbol.dispose]();
  });
}

/** Runs `work` with two devices, and an sshd before the first one that lets the second one in. */
async function withDoor(work) {
  await inFolder(async (dir) => {
    await withCluster(
      dir,
      async (cluster) => {
        const [leader, follower] = cluster.devices;
        const door = { dir: join(dir, "door"), clientKey: join(dir, "client"), port: await freePort() };
        mkdirSync(door.dir);
        for (const file of [join(door.dir, "host"), door.clientKey])
          execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
        const trust = ["dist/main.js", "device", "trust", follower.name, "--ssh-key", `${door.clientKey}.pub`];
        const env = { PATH: process.env.PATH, LOCKSTEP_SOCKET_DIR: dirname(leader.socket) };
        execFileSync(process.execPath, trust, { env, stdio: "ignore" });
        const sshd = await startSshd(door, leader);
        try {
          await work({ cluster, dir, leader, follower, door });
        } finally {
          sshd.kill();
          await once(sshd, "exit");
        }
      },
      2,
    );
  });
}

/** Starts an sshd with the configuration of docs/integration.md. Resolves when it answers. */
async function startSshd({ dir, port }, leader) {
  const keys = `${NATIVE} authorized-keys ${dirname(leader.socket)} %t %k`;
  const settings = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${join(dir, "host")}`,
    "PidFile none",
    "StrictModes no",
    "UsePAM no",
    "PermitRootLogin forced-commands-only",
    `AuthorizedKeysCommand ${keys}`,
    `AuthorizedKeysCommandUser ${userInfo().username}`,
  ];
  writeFileSync(join(dir, "config"), settings.map((line) => `${line}\n`).join(""));
  if (process.getuid() === 0) mkdirSync("/run/sshd", { recursive: true });
  const child = spawn("/usr/sbin/sshd", ["-D", "-f", join(dir, "config"), "-E", join(dir, "log")], { stdio: "ignore" });
  for (;;) {
    const socket = createConnection({ host: "127.0.0.1", port });
    const open = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return child;
    await sleep(20);
  }
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}

/** Pushes a large commit and a small one. Returns their ids. */
async function makeHistory(dir, leader) {
  await git(dirname(dir), "init", "-q", "-b", "main", dir);
  const person = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"];
  const commit = async (name, bytes) => {
    writeFileSync(join(dir, name), randomBytes(bytes));
    await git(dir, "add", ".");
    await git(dir, ...person, "commit", "-q", "-m", name);
    return (await git(dir, "rev-parse", "HEAD")).trim();
  };
  const first = await commit("large", LARGE_MIB << 20);
  const last = await commit("small", 200);
  // A device fetches by its id only what a ref has.
  await git(dir, "push", "-q", `${leader.gate.url}/demo.git`, "main", `${first}:refs/heads/first`);
  return { first, last };
}

// Another user of the machine: what he can reach of a device, and of what its user has written.
import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { cluster, one, startClusterOfFile } from "../support/file-cluster.ts";
import { pusher } from "../support/pusher.ts";

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

startClusterOfFile();

/** Runs a script of perl as that user, and returns its error. Empty: it has succeeded. */
function asNobody(script: string, ...args: string[]): string {
  const options = { uid: NOBODY, gid: NOBODY, cwd: "/", env: { PATH: process.env.PATH ?? "" } };
  const { status, stderr, error } = spawnSync("perl", ["-MIO::Socket::UNIX", "-e", script, ...args], options);
  if (error) throw error;
  return status === 0 ? "" : String(stderr);
}

const CONNECT = 'IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "$!\\n"';
const READ = 'open(my $f, "<", $ARGV[0]) or die "$!\\n"';
const WRITE = 'open(my $f, ">", $ARGV[0]) or die "$!\\n"';
const DENIED = "Permission denied\n";

it.runIf(isRoot)(
  "reaches no socket, no key and no repository of the sidecar's user, and writes nothing there",
  async () => {
    const repository = await cluster.createRepository();
    const ada = await pusher(cluster.git, "ada");
    await ada.land(one.url(repository), `${await ada.commit()}:refs/heads/main`);
    const { socket, root, key } = one.demo;
    // He may go through the directories above; what counts is what the sidecar itself has made.
    const { mode } = statSync(cluster.dir);
    spawnSync("chmod", ["755", cluster.dir, dirname(key), dirname(root)]);
    try {
      expect(asNobody(READ, join(one.gitDir(repository), "HEAD"))).toBe(DENIED);
      // An operator may open the root to readers.
      spawnSync("chmod", ["755", root]);
      expect(asNobody(READ, join(one.gitDir(repository), "HEAD"))).toBe("");
      const sockets = readdirSync(dirname(socket)).filter((name) => statSync(join(dirname(socket), name)).isSocket());
      expect(sockets).toEqual(expect.arrayContaining(["hook.sock", "lockstep.sock", "peer.sock"]));
      for (const name of sockets) expect(asNobody(CONNECT, join(dirname(socket), name))).toBe(DENIED);
      expect(asNobody(READ, key)).toBe(DENIED);
      expect(asNobody(WRITE, join(one.gitDir(repository), "hooks", "post-receive"))).toBe(DENIED);
      expect(asNobody(WRITE, join(one.gitDir(repository), "config"))).toBe(DENIED);
      expect(asNobody(WRITE, join(root, "new"))).toBe(DENIED);
      expect(asNobody(READ, `/proc/${one.pid}/environ`)).toBe(DENIED);
      expect(asNobody(READ, `/proc/${one.pid}/mem`)).toBe(DENIED);
    } finally {
      spawnSync("chmod", [(mode & 0o7777).toString(8), cluster.dir]);
    }
  },
);

it("the state of the sidecar, and the sockets, are for its user only", () => {
  const state = readdirSync(one.demo.root).filter((name) => name.startsWith(".lockstep"));
  expect(state.length).toBeGreaterThan(0);
  for (const name of state) expect(statSync(join(one.demo.root, name)).mode & 0o022).toBe(0);
  expect(statSync(dirname(one.demo.socket)).mode & 0o777).toBe(0o700);
});

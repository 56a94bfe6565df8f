// The units of deploy/systemd: systemd-analyze reads them, and their commands run with what their sandboxes leave them.
// The test has no systemd that runs. So address families, namespaces and kernel settings are not tried, and system calls
// are compared with the list of the filter instead of being filtered.
import { execFile, spawnSync } from "node:child_process";
import { chown, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { type GitSandbox, gitSandbox } from "../support/git.ts";
import type { RunningContainer } from "../support/pods/container.ts";
import { podsMissing, relayDatabase } from "../support/pods/pod-cluster.ts";
import { HUB, type Namespace, PodNetwork } from "../support/pods/pod-network.ts";
import { findProgram } from "../support/programs.ts";
import { readSettings, startUnit, stopUnit, unitFile } from "../support/unit-sandbox.ts";

const run = promisify(execFile);
const analyze = findProgram("systemd-analyze", "systemd");
const strace = findProgram("strace", "strace");
const noAnalyze = "missing" in analyze ? [analyze.missing] : [];
const noSandbox = [...noAnalyze, ...("missing" in strace ? [strace.missing] : []), ...podsMissing()];
if (noSandbox.length > 0) console.warn(`Not all tests of the systemd units run: ${noSandbox.join("; ")}.`);

const MAIN = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
const UNITS = ["lockstep", "lockstep-gate"];

describe.skipIf(noAnalyze.length > 0)("the systemd units", () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "ls-units-"));
    // systemd-analyze looks whether the program is there.
    for (const name of UNITS) {
      const text = await readFile(unitFile(`${name}.service`), "utf8");
      await writeFile(join(dir, `${name}.service`), text.replace("/usr/local/bin/lockstep", MAIN));
    }
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  it("have nothing that systemd does not know", () => {
    const { status, stderr } = spawnSync("systemd-analyze", [
      "verify",
      ...UNITS.map((name) => join(dir, `${name}.service`)),
    ]);
    expect({ status, said: String(stderr) }).toEqual({ status: 0, said: "" });
  });

  it.each(UNITS)("%s is exposed no more than 2.0 of 10", async (name) => {
    await run("systemd-analyze", [
      "security",
      "--offline=yes",
      "--no-pager",
      "--threshold=20",
      join(dir, `${name}.service`),
    ]);
  });
});

describe.skipIf(noSandbox.length > 0)("the commands of the systemd units", () => {
  let dir: string;
  let database: TestDatabase;
  let relay: Server;
  let network: PodNetwork;
  let place: Namespace;
  let client: GitSandbox;
  const units: RunningContainer[] = [];
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "ls-units-"));
    database = await createDatabase();
    client = await gitSandbox();
    network = await PodNetwork.open();
    place = await network.join(10);
    const { hostname, port, username, password, pathname } = new URL(database.url);
    relay = await relayDatabase(join(dir, "database.sock"), { host: hostname, port: Number(port) });
    await network.relay({ host: HUB, port: 5432 }, [{ path: join(dir, "database.sock") }]);
    const etc = join(dir, "etc");
    await run(process.execPath, [MAIN, "ca", "init", etc, "--trust-domain", "git.example.com"]);
    await run(process.execPath, [MAIN, "ca", "issue", etc, "--role", "device", "--name", "repo001", "--out", etc]);
    await writeFile(join(etc, "database-url"), `postgres://${username}:${password}@${HUB}${pathname}`);
    await writeFile(join(etc, "users"), `ada:${(await run("openssl", ["passwd", "-apr1", "secret"])).stdout}`);
    await run("chown", ["-R", "0:1000", etc]);
    await run("chmod", ["-R", "u=rwX,g=rX,o=", etc]);
    await writeFile(join(dir, "hosts"), "127.0.0.1 localhost repo001.example\n");
    await writeFile(join(dir, "passwd"), "root:x:0:0:root:/root:/bin/sh\ngit:x:1000:1000::/srv/git:/bin/sh\n");
    for (const name of ["root", "run", "tmp-lockstep", "tmp-lockstep-gate"]) {
      await mkdir(join(dir, name));
      await chown(join(dir, name), 1_000, 1_000);
    }
  });
  afterAll(async () => {
    for (const unit of units) {
      await unit.signal("SIGKILL").catch(() => {});
      await unit.ended;
    }
    await place?.[Symbol.asyncDispose]();
    await network?.[Symbol.asyncDispose]();
    relay?.close();
    await client?.[Symbol.asyncDispose]();
    await database?.[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  });

  async function start(name: string): Promise<RunningContainer> {
    const at = (below: string) => join(dir, below);
    const directories = {
      "/srv/git": at("root"),
      "/run/lockstep": at("run"),
      "/tmp": at(`tmp-${name}`),
      "/etc/lockstep": at("etc"),
    };
    const files = { "/etc/hosts": at("hosts"), "/etc/passwd": at("passwd") };
    const unit = await startUnit(name, { directories, files, network: place.path, dir: at(name) });
    units.push(unit);
    return unit;
  }
  const READY =
    "fetch('http://127.0.0.1:7422/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))";
  const isReady = (unit: RunningContainer) =>
    unit.exec(["node", "-e", READY]).then(
      () => true,
      () => false,
    );
  const untilOpen = (unit: RunningContainer, port: number) =>
    expect
      .poll(async () => {
        if (unit.hasEnded) throw new Error(await unit.log());
        return await network.connect({ host: place.address, port, timeoutMs: 1_000 }).then(
          () => true,
          () => false,
        );
      })
      .toBe(true);

  it("take a push and a clone, write nowhere else, and make only system calls that the filter allows", async () => {
    const sidecar = await start("lockstep");
    await untilOpen(sidecar, 7_420);
    await expect.poll(() => isReady(sidecar)).toBe(true);
    await sidecar.exec(["lockstep", "repo", "create", "team/app"]);
    const gate = await start("lockstep-gate");
    await untilOpen(gate, 7_480);
    const work = await client.workTree("work");
    const tip = await client.commit(work, "one", { one: "one" });
    const url = `http://ada:secret@${place.address}:7480/team/app.git`;
    const git = (...args: string[]) =>
      client.git(["-c", `alias.inside=!nsenter --net=${network.path} git`, "inside", ...args], { cwd: work });
    await git("push", "--quiet", url, "HEAD:refs/heads/main");
    expect(await git("ls-remote", url)).toContain(`${tip}\trefs/heads/main`);
    await git("clone", "--quiet", "--bare", url, join(client.dir, "clone"));
    await sidecar.exec(["lockstep", "command", "enqueue", "gc", "team/app", "--wait"]);
    for (const unit of [gate, sidecar]) {
      await expect(unit.exec(["touch", "/etc/lockstep/new"])).rejects.toThrow(/Read-only file system/);
      expect(await stopUnit(unit), await unit.log()).toBe(0);
    }
    for (const name of UNITS) {
      const allowed = await systemCalls((await readSettings(`${name}.service`)).get("SystemCallFilter") ?? []);
      const table = await readFile(join(dir, `tmp-${name}`, "calls"), "utf8");
      const made = table.split("\n").flatMap((line) => /^ *[\d.]+ .* (\w+)$/.exec(line)?.[1] ?? []);
      expect(made).toContain("execve");
      expect(
        made.filter((call) => call !== "total" && !allowed.has(call)),
        name,
      ).toEqual([]);
    }
  });
});

/** Returns the system calls of some sets, such as @system-service, and of the sets in them. */
async function systemCalls(sets: readonly string[]): Promise<Set<string>> {
  const calls = new Set<string>();
  for (const set of sets.flatMap((each) => each.split(" "))) {
    const { stdout } = await run("systemd-analyze", ["syscall-filter", "--no-pager", set]);
    const words = stdout.split("\n").flatMap((line) => /^ {4}([@\w]\S*)$/.exec(line)?.[1] ?? []);
    for (const call of await systemCalls(words.filter((word) => word.startsWith("@")))) calls.add(call);
    for (const word of words) calls.add(word);
  }
  return calls;
}

import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { administer } from "../support/administer.ts";
import { type Device, type Ended, ended, PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, two } from "../support/file-cluster.ts";
import { holdPush } from "../support/held-push.ts";
import { PushHistory } from "../support/push-history.ts";
import { soon } from "../support/soon.ts";

const SOON = soon(20);

startClusterOfFile();
afterEach(async () => {
  await administer(cluster.databaseUrl, (client) => client.query("delete from lockstep.write_stop"));
});

interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** `lockstep ARGS` on device one, to be signalled while it runs. */
function start(...args: string[]): Running {
  const child = one.command(args, { USER: "olga" });
  return { process: child, ended: ended(child) };
}

const lockstep = (...args: string[]) => start(...args).ended;

/** `lockstep lock` around a command that makes a tag, once it is let go. */
async function openSession(repository: string): Promise<Running & { release: () => Promise<void> }> {
  const [hold, reached] = ["hold", "reached"].map((name) => join(cluster.dir, name)) as [string, string];
  await writeFile(hold, "");
  await rm(reached, { force: true });
  const script = `: >${reached}; while test -e ${hold}; do sleep 0.05; done; git update-ref refs/tags/made refs/heads/main`;
  const running = start("lock", repository, "--reason", "import", "--", "sh", "-c", script);
  await vi.waitUntil(() => existsSync(reached), SOON);
  return { ...running, release: () => rm(hold, { force: true }) };
}

async function repositoryWithCommit(): Promise<string> {
  const repository = await cluster.createRepository();
  await ada.land(one.url(repository), `${await ada.commit()}:refs/heads/main`);
  return repository;
}

describe("write-lock", () => {
  it("stops writes to all repositories, says so everywhere, outlives every restart, and lets them go on", async () => {
    const repository = await repositoryWithCommit();
    expect(await lockstep("write-lock", "--enable", "--reason", "new disks")).toEqual({
      code: 0,
      stdout:
        "Writes to all repositories are stopped, and none is under way any more; `lockstep write-lock --disable` allows them again.\n",
      stderr: "",
    });
    const lock = { repository: null, reason: "new disks", author: "olga", closed: true, since: expect.any(String) };
    expect((await two.lockstep("status")).document).toMatchObject({ write_locks: [lock] });
    expect((await two.lockstep("repo", "show", repository)).document).toMatchObject({ write_locks: [lock] });
    const sentence = /rites are stopped to all repositories, by olga for \d+ (s|min) \(new disks\)/;
    expect((await two.print("status")).stdout).toMatch(sentence);
    expect((await two.print("repo", "show", repository)).stdout).toMatch(sentence);

    const refusal =
      /remote: Writes to team\/app-\d+ are stopped \(new disks\); nothing was written, try again when they are/;
    const late = `${await ada.commit()}:refs/heads/late`;
    const push = async (device: Device) => await ada.push(device.url(repository), late);
    for (const device of [one, two]) {
      const refused = await push(device);
      expect(refused).toMatchObject({ code: 128, stderr: expect.stringMatching(refusal) });
      expect(refused.stderr).toContain("The requested URL returned error: 403");
      await cluster.git.git(["ls-remote", device.url(repository)]);
    }
    await Promise.all(cluster.devices.map((device) => device.kill()));
    await administer(cluster.databaseUrl, (client) =>
      client.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
      ),
    );
    await Promise.all(cluster.devices.map((device) => device.start()));
    for (const device of [one, two])
      expect(await push(device)).toMatchObject({ code: 128, stderr: expect.stringMatching(refusal) });

    expect((await two.lockstep("write-lock", "--disable")).document).toEqual({
      repositories: [],
      enabled: false,
      remaining: [],
    });
    expect(await push(one)).toMatchObject({ code: 0 });
    expect(await lockstep("write-lock", "--disable")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^lockstep: Writes to all repositories are not stopped, so nothing was changed; /),
    });
  });

  it("of some repositories leaves the others alone", async () => {
    const [first, second] = [await repositoryWithCommit(), await repositoryWithCommit()];
    const enabled = await two.lockstep("write-lock", "--enable", "--reason", "split", first);
    expect(enabled.document).toEqual({ repositories: [first], enabled: true, reason: "split", dropped: [] });
    const { document } = await one.lockstep("status");
    expect(document.repositories.find(({ name }: { name: string }) => name === first)).toMatchObject({ drained: true });
    const next = `${await ada.commit()}:refs/heads/next`;
    expect((await ada.push(two.url(first), next)).stderr).toContain("are stopped (split)");
    await ada.land(one.url(second), next);
    await lockstep("write-lock", "--enable", "--reason", "all of it");
    expect((await lockstep("write-lock", "--disable", first)).stdout).toMatch(
      new RegExp(
        `^Writes to ${first} are no longer stopped\\.\nStill stopped: writes to all repositories, by olga for .* \\(all of it\\)\\.\n$`,
      ),
    );
  });

  it("tells the reason in the line of the ref to a pusher who was uploading when writes were stopped", async () => {
    const history = await PushHistory.begin(cluster, ada);
    await using held = await holdPush(one, history.repository, "received");
    const push = history.push(one, "held");
    await held.reached();
    expect(await lockstep("write-lock", "--enable", "--reason", "new disks, Zürich", history.repository)).toMatchObject(
      {
        code: 0,
      },
    );
    await held.release();
    const { verdict, stderr } = await push;
    expect(verdict).toBe("refused");
    expect(stderr).toMatch(/\[remote rejected\] .* \(lockstep: writes stopped: new disks, Zürich\)/);
    expect(stderr).toMatch(/remote: lockstep: Writes to .* are stopped \(new disks, Zürich\); nothing was written/);
  });

  it("names the session that it waits for, and leaves writes stopped when it is interrupted", async () => {
    const repository = await repositoryWithCommit();
    const session = await openSession(repository);
    const args = ["write-lock", "--enable", "--reason", "new disks", repository];
    const waited = await one.lockstep(...args, "--wait", "0");
    expect(waited.code).toBe(3);
    expect(waited.document).toMatchObject({
      error: {
        code: "WRITES_UNDER_WAY",
        message: expect.stringMatching(/still being written by olga on repo001 \(import\), since 20.*Z; /),
        details: { repository, device: "repo001", author: "olga", reason: "import" },
      },
    });
    const waiting = start("write-lock", "--enable", "--reason", "newer disks", repository);
    await vi.waitFor(async () => {
      const { writeLocks } = await one.call("GetRepository", { repository }, PATIENCE);
      expect(writeLocks).toMatchObject([{ reason: "newer disks", author: "olga", closed: false }]);
    }, SOON);
    waiting.process.kill("SIGINT");
    expect(await waiting.ended).toMatchObject({
      code: 3,
      stdout: "",
      stderr: expect.stringMatching(
        /^lockstep: The wait .* ended early \(interrupted\): writes to \S+ stay stopped\. .*--disable/,
      ),
    });
    expect((await ada.push(one.url(repository), `${await ada.commit()}:refs/heads/x`)).stderr).toContain(
      "(newer disks)",
    );
    const again = start(...args);
    await session.release();
    expect(await session.ended).toMatchObject({ code: 0 });
    expect(await again.ended).toMatchObject({ code: 0 });
    const { log } = (await one.lockstep("log", repository)).document;
    expect(log[0]).toMatchObject({ version: 2, author: "olga", updates: [{ ref: "refs/tags/made" }] });
  });

  it.each([
    [[], "Give one of --enable and --disable."],
    [["--enable", "--disable"], "Give one of --enable and --disable."],
    [["--enable"], "--enable needs --reason"],
    [["--enable", "--reason", " "], "--enable needs --reason"],
    [["--enable", "--reason", "x", "--wait", "soon"], "--wait is a number of seconds, not soon."],
    [["--enable", "--reason", "x".repeat(201)], "The reason has at most 200 characters"],
  ])("refuses what makes no sense: %j", async (args, sentence) => {
    const refused = await lockstep("write-lock", ...args);
    expect(refused).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(sentence) });
  });
});

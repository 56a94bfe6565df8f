import { describe, expect, it, vi } from "vitest";
import { administer } from "../support/administer.ts";
import { PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, two } from "../support/file-cluster.ts";
import { soon } from "../support/soon.ts";

/** With short waits the sidecars look every five seconds. */
const SOON = soon(200);

startClusterOfFile({ shortWaits: true });

describe("lockstep repo set --keep-log", () => {
  it("has the log trimmed within moments, and every device goes on, also one that was away", async () => {
    const repository = await cluster.createRepository();
    let tip = await ada.commit();
    await ada.land(one.url(repository), `${tip}:refs/heads/main`);
    await two.call("BeforeRead", { repository }, PATIENCE);
    await two.kill();
    for (let version = 2; version <= 5; version += 1) {
      tip = await ada.commit(tip);
      await ada.land(one.url(repository), `${tip}:refs/heads/main`);
    }
    expect(await one.lockstep("repo", "set", repository, "--keep-log", "2")).toMatchObject({
      code: 0,
      document: { keep_log: "2" },
    });
    await vi.waitFor(async () => {
      const log = await one.call("ListLog", { repository }, PATIENCE);
      expect(log).toMatchObject({ logBase: "3", entries: [{ version: "5" }, { version: "4" }] });
    }, SOON);
    expect((await one.print("log", repository)).stdout).toMatch(
      /\nThe versions up to 3 have been trimmed from the log\.\n$/,
    );
    expect(await one.lockstep("repo", "undo", repository, "--version", "3")).toMatchObject({
      code: 1,
      document: { error: { code: "UNDO_REFUSED", message: expect.stringContaining("begins after version 3") } },
    });
    await two.start();
    expect(await cluster.git.git(["ls-remote", two.url(repository), "refs/heads/main"])).toContain(tip);
    tip = await ada.commit(tip);
    await ada.land(two.url(repository), `${tip}:refs/heads/main`);
    expect(await one.lockstep("repo", "set", repository, "--keep-log", "default")).toMatchObject({
      document: { keep_log: null },
    });
  });

  it.each([
    ["--devices", "repo001,rep002", 1],
    ["--min-copies", "9", 2],
  ])("leaves the log as it is if %s %s is refused beside it", async (flag, value, code) => {
    const repository = await cluster.createRepository();
    const keepLog = async () => (await one.call("GetRepository", { repository }, PATIENCE)).repository?.keepLog;
    expect(await keepLog()).toBe("");
    const set = ["repo", "set", repository, "--keep-log", "2"];
    expect(await one.lockstep(...set, flag, value)).toMatchObject({ code });
    expect(await keepLog()).toBe("");
    await one.lockstep(...set);
    expect(await keepLog()).toBe("2");
  });

  it.each(["0", "ten", "0d,1"])("refuses %s with a sentence", async (time) => {
    const repository = await cluster.createRepository();
    expect(await one.lockstep("repo", "set", repository, "--keep-log", time)).toMatchObject({
      code: 2,
      document: { error: { code: "INVALID_REQUEST", message: expect.stringContaining("10000,90d") } },
    });
  });
});

describe("lockstep retention", () => {
  it("lists what is kept, for how long, and how much space it takes", async () => {
    const { code, document } = await one.lockstep("retention", "list");
    expect(code).toBe(0);
    expect(document.rules).toContainEqual({
      subject: "log",
      what: "versions of the ref log",
      rule: "for 10000 versions or 90 days, whichever is longer; the newest version and those of `thaw` stay",
      keep: "10000,90d",
      default: "10000,90d",
      on_disk: false,
    });
    expect(document.kept).toContainEqual({
      subject: "log",
      device: null,
      items: expect.any(Number),
      bytes: expect.any(Number),
    });
    expect((await one.print("retention", "list")).stdout).toMatch(/\nwrites +.* for 30 days, and until/);
  });

  it("sets a time for the whole cluster, records who did, and takes it back", async () => {
    expect(await one.lockstep("retention", "set", "writes", "60d")).toMatchObject({
      code: 0,
      document: { subject: "writes", keep: "60d", default: "30d" },
    });
    const { document } = await two.lockstep("retention", "list");
    expect(document.rules).toContainEqual(expect.objectContaining({ subject: "writes", keep: "60d" }));
    const { rows } = await administer(cluster.databaseUrl, (client) =>
      client.query("select detail from lockstep.audit where action = 'set retention'"),
    );
    expect(rows).toEqual([{ detail: { subject: "writes", keep: "60d" } }]);
    expect(await two.lockstep("retention", "set", "writes", "default")).toMatchObject({ document: { keep: "30d" } });
    for (const [subject, time] of [
      ["writes", "0d"],
      ["turns", "1d"],
      ["nothing", "default"],
    ] as const)
      expect(await one.lockstep("retention", "set", subject, time)).toMatchObject({
        code: 2,
        document: { error: { code: "INVALID_REQUEST" } },
      });
  });

  it("is in status for what lies on a disk: the changes of a dropped session", async () => {
    const repository = await cluster.createRepository();
    await ada.land(one.url(repository), `${await ada.commit()}:refs/heads/main`);
    const { token, path } = await one.call("BeginWrite", { repository, author: "grace" }, PATIENCE);
    await cluster.git.git([
      "--git-dir",
      path,
      "-c",
      "safe.directory=*",
      "update-ref",
      "refs/heads/topic",
      "refs/heads/main",
    ]);
    await one.call("AbortWrite", { repository, token }, PATIENCE);
    // The first look comes after a start.
    await one.kill();
    await one.start();
    await vi.waitFor(async () => {
      const { kept } = await two.call("GetStatus", {}, PATIENCE);
      expect(kept).toContainEqual({ subject: "dropped", device: "repo001", items: "1", bytes: "0" });
    }, SOON);
    expect((await two.print("status")).stdout).toMatch(/\ndropped +repo001 +1\n/);
  });
});

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import type { RefUpdate } from "../../src/domain.ts";
import { adoptRepository } from "../../src/sync/adopt/adopt-repository.ts";
import { undoVersion } from "../../src/sync/undo/undo-version.ts";
import { loseWrites } from "../support/lose-writes.ts";
import { plainRepository } from "../support/plain-repository.ts";
import { update } from "../support/refs.ts";
import { beginSession, bumpSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
const run = promisify(execFile);

const ask = (device: TestDevice, version: number, confirmation = "", reason = "it was a mistake") =>
  undoVersion(device.context, {
    repository: APP,
    version: BigInt(version),
    confirmation,
    author: "olga",
    reason,
    signal: AbortSignal.timeout(SOON.timeout),
  });

/** As an operator does who reads what it would do and says yes. */
async function undo(device: TestDevice, version: number) {
  const { confirmation } = await ask(device, version);
  return await ask(device, version, confirmation);
}

const head = async (cluster: TestCluster) =>
  (await cluster.sql<{ head: string }>("select head_version as head from lockstep.repository"))[0]?.head;

async function expectEverywhere(devices: readonly TestDevice[], refs: Record<string, string>) {
  for (const device of devices) {
    await device.read(APP);
    expect(await device.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main", ...refs });
    await device.expectInLockstep(APP);
  }
}

const landed = (device: TestDevice, ...updates: RefUpdate[]) =>
  device.push(APP, updates).then((report) => {
    const refused = Object.values(report).filter(Boolean);
    expect(refused).toEqual([]);
  });

/** version 1: main and topic; version 2: main is forced to another history; version 3: topic is deleted. */
async function withMistakes(cluster: TestCluster) {
  const [a, b] = await cluster.pair(APP);
  const one = await a.commit(APP, "one");
  const two = await a.commit(APP, "two", { parents: [one] });
  const forced = await a.commit(APP, "forced");
  await landed(a, change("main", null, two), change("topic", null, two));
  await b.read(APP);
  await landed(a, change("main", two, forced));
  await landed(a, change("topic", two, null));
  await b.read(APP);
  return { a, b, one, two, forced };
}

/** Removes what no ref holds from a replica, at once. */
async function prune(device: TestDevice): Promise<void> {
  await device.git(APP, ["repack", "-adq"]);
  await device.git(APP, ["prune", "--expire=now"]);
}

describe("undo of a version", () => {
  it("shows each ref with its value now and its earlier one, and changes nothing without a confirmation", async () => {
    await using cluster = await TestCluster.make();
    const { a, two, forced } = await withMistakes(cluster);
    const { plan, landed: version } = await ask(a, 2);
    expect(version).toBeNull();
    expect(plan.updates).toEqual([change("main", forced, two)]);
    expect(plan.entry).toMatchObject({ version: 2n, author: "ada", device: "repo001" });
    expect(plan.lost.commits.map(({ subject }) => subject)).toEqual(["forced"]);
    expect(plan.gained.commits.map(({ subject }) => subject)).toEqual(["two", "one"]);
    expect(await head(cluster)).toBe("3");
  });

  it("takes a force push and a deletion back, as versions of their own that every device follows", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, two } = await withMistakes(cluster);
    expect(await undo(a, 3)).toMatchObject({ landed: 4n });
    expect(await undo(b, 2)).toMatchObject({ landed: 5n });
    await expectEverywhere([a, b], { "refs/heads/main": two, "refs/heads/topic": two });
    const audit = await cluster.sql(
      "select author, action, repository, device, detail from lockstep.audit order by id",
    );
    expect(audit).toMatchObject([
      {
        author: "olga",
        action: "undo",
        repository: APP,
        device: "repo001",
        detail: { undoes: "3", version: "4", refs: "1", reason: "undo of version 3: it was a mistake" },
      },
      { device: "repo002", detail: { undoes: "2", version: "5" } },
    ]);
    const writes = await cluster.sql("select author, reason from lockstep.write where version = 5");
    expect(writes).toEqual([{ author: "olga", reason: "undo of version 2: it was a mistake" }]);
    expect(await cluster.sql("select author from lockstep.ref_log where version > 3")).toEqual([
      { author: "olga" },
      { author: "olga" },
    ]);
  });

  it("can be undone itself, and versions can be undone one after the other from the newest", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, forced } = await withMistakes(cluster);
    await undo(a, 3);
    await undo(a, 4);
    await expectEverywhere([a, b], { "refs/heads/main": forced });
    await undo(a, 5);
    await undo(b, 2);
    await undo(b, 1);
    await expectEverywhere([a, b], {});
  });

  it("takes refs back that leave no room for each other", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    await landed(a, change("topic", null, one), change("main", null, one));
    await landed(a, change("topic", one, null), change("topic/a", null, one));
    await undo(b, 2);
    await expectEverywhere([a, b], { "refs/heads/main": one, "refs/heads/topic": one });
  });

  it("takes back what a session did to HEAD and to an alias", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    await landed(a, change("main", null, one), change("dev", null, one));
    const session = await beginSession(a, APP);
    const env = { ...process.env, GIT_DIR: session.path };
    await run("git", ["symbolic-ref", "HEAD", "refs/heads/dev"], { env });
    await run("git", ["symbolic-ref", "refs/heads/alias", "refs/heads/main"], { env });
    await bumpSession(a, APP, session.token);
    const { plan } = await undo(b, 2);
    expect(plan.updates).toEqual([
      update("HEAD", "ref: refs/heads/dev", "ref: refs/heads/main"),
      update("refs/heads/alias", "ref: refs/heads/main", null),
    ]);
    await expectEverywhere([a, b], { "refs/heads/dev": one, "refs/heads/main": one });
  });

  it("of an adoption removes the refs that it brought, and leaves HEAD", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
    const { main } = await plainRepository(a.gitDir(APP), ["main"]);
    const { signal } = a.context;
    await adoptRepository(a.context, APP, { from: undefined, dryRun: false, author: "olga", signal });
    const { plan, landed: version } = await undo(b, 1);
    expect(plan.updates).toEqual([change("main", main!, null)]);
    expect(version).toBe(2n);
    await expectEverywhere([a, b], {});
    expect(await undo(a, 2)).toMatchObject({ landed: 3n });
    await expectEverywhere([a, b], { "refs/heads/main": main! });
  });

  it("lands beside pushes to other refs that came since it was shown", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, two, forced } = await withMistakes(cluster);
    const { confirmation } = await ask(a, 2);
    await landed(b, change("other", null, forced));
    let pushed = false;
    a.onStatement = async (text, call) => {
      if (text.includes("stage_write") && !pushed) {
        pushed = true;
        await landed(b, change("another", null, forced));
      }
      return await call();
    };
    expect(await ask(a, 2, confirmation)).toMatchObject({ landed: 6n });
    await expectEverywhere([a, b], {
      "refs/heads/main": two,
      "refs/heads/other": forced,
      "refs/heads/another": forced,
    });
  });
});

describe("undo is refused, and nothing is changed,", () => {
  it("if a ref has changed again since: each one is listed with its value then and now", async () => {
    await using cluster = await TestCluster.make();
    const { a, one, two, forced } = await withMistakes(cluster);
    await landed(a, change("main", forced, one));
    await expect(ask(a, 2)).rejects.toMatchObject({
      code: "UNDO_REFUSED",
      message: expect.stringContaining(`refs/heads/main was set to ${forced} and is now ${one}`),
      details: { repository: APP, version: "2", refs: "refs/heads/main" },
    });
    // One conflict among several refs refuses all.
    await landed(a, change("topic", null, one));
    await expect(ask(a, 1)).rejects.toMatchObject({
      code: "UNDO_REFUSED",
      details: { refs: "refs/heads/main refs/heads/topic" },
    });
    await landed(a, change("main", one, two));
    await expect(ask(a, 1)).rejects.toMatchObject({ code: "UNDO_REFUSED", details: { refs: "refs/heads/topic" } });
    expect(await head(cluster)).toBe("6");
  });

  it("if a ref changes between the plan and the yes, also at the last moment", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one, forced } = await withMistakes(cluster);
    const { confirmation } = await ask(a, 2);
    a.onStatement = async (text, call) => {
      if (!text.includes("stage_write")) return await call();
      a.onStatement = (_, rest) => rest();
      await landed(b, change("main", forced, one));
      return await call();
    };
    await expect(ask(a, 2, confirmation)).rejects.toMatchObject({
      code: "WRITE_DROPPED",
      message: expect.stringContaining("refs/heads/main: fetch first"),
    });
    await expectEverywhere([a, b], { "refs/heads/main": one });
    expect(await cluster.sql("select * from lockstep.audit")).toEqual([]);
    await expect(ask(a, 3, confirmation)).rejects.toMatchObject({ code: "WRITE_DROPPED" });
  });

  it("if it has been undone already", async () => {
    await using cluster = await TestCluster.make();
    const { a } = await withMistakes(cluster);
    await undo(a, 3);
    await expect(ask(a, 3)).rejects.toMatchObject({
      code: "UNDO_REFUSED",
      message: expect.stringContaining("has its earlier value again"),
    });
  });

  it("if another ref has taken the place of one of its refs", async () => {
    await using cluster = await TestCluster.make();
    const { a, two } = await withMistakes(cluster);
    await landed(a, change("topic/a", null, two));
    await expect(ask(a, 3)).rejects.toMatchObject({
      code: "UNDO_REFUSED",
      message: expect.stringContaining("refs/heads/topic: conflicts with an existing ref"),
      details: { refs: "refs/heads/topic" },
    });
  });

  it("if there is no such version, or the log no longer has it", async () => {
    await using cluster = await TestCluster.make();
    const { a } = await withMistakes(cluster);
    await expect(ask(a, 9)).rejects.toMatchObject({
      code: "UNDO_REFUSED",
      message: expect.stringMatching(/version 3/),
    });
    await cluster.sql("update lockstep.repository set log_base = 2");
    await cluster.sql("delete from lockstep.ref_log where version <= 2");
    await expect(ask(a, 2)).rejects.toMatchObject({
      code: "UNDO_REFUSED",
      message: expect.stringContaining("begins after version 2"),
    });
  });

  it("while writes are stopped", async () => {
    await using cluster = await TestCluster.make();
    const { a } = await withMistakes(cluster);
    await cluster.sql("insert into lockstep.write_stop (reason, author) values ('maintenance', 'olga')");
    await expect(ask(a, 2)).rejects.toMatchObject({ code: "WRITES_STOPPED" });
  });

  it("while another write has the turn, after a wait that ends with its caller", async () => {
    await using cluster = await TestCluster.make();
    const { a, b } = await withMistakes(cluster);
    await beginSession(b, APP, { reason: "import" });
    const { confirmation } = await ask(a, 2);
    const caller = new AbortController();
    const waiting = undoVersion(a.context, {
      repository: APP,
      version: 2n,
      confirmation,
      author: "olga",
      reason: "",
      signal: caller.signal,
    });
    const waits = async () =>
      (await cluster.sql("select 1 from lockstep.turn where author = 'olga' and reason = 'undo of version 2'")).length;
    while ((await waits()) === 0);
    caller.abort();
    await expect(waiting).rejects.toMatchObject({ code: "WRITE_DROPPED" });
    expect(await head(cluster)).toBe("3");
  });

  it("if the database lost the version: the repository is stopped", async () => {
    await using cluster = await TestCluster.make();
    const { a } = await withMistakes(cluster);
    await loseWrites(cluster, APP, 2n);
    await expect(ask(a, 2)).rejects.toMatchObject({ code: "AHEAD_OF_DATABASE" });
  });
});

describe("the objects of an undo", () => {
  it("come from another device when they are gone here", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, two, forced } = await withMistakes(cluster);
    await prune(a);
    expect(await a.has(APP, two)).toBe(false);
    await undo(a, 2);
    await undo(a, 3);
    await prune(a);
    await expectEverywhere([a, b], { "refs/heads/main": two, "refs/heads/topic": two });
    expect(await a.has(APP, forced)).toBe(false);
  });

  it("are on every device that follows, also where they were removed meanwhile", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, two } = await withMistakes(cluster);
    await prune(b);
    expect(await b.has(APP, two)).toBe(false);
    await undo(a, 3);
    await undo(a, 2);
    await expectEverywhere([a, b], { "refs/heads/main": two, "refs/heads/topic": two });
  });

  it("are named when no device has them, with their refs", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, two } = await withMistakes(cluster);
    for (const device of [a, b]) await prune(device);
    await expect(ask(a, 2)).rejects.toMatchObject({
      code: "UNDO_REFUSED",
      message: expect.stringContaining(`refs/heads/main (${two})`),
      details: { refs: "refs/heads/main" },
    });
    expect(await head(cluster)).toBe("3");
  });

  it("are as young as those of a push afterwards, so that a clean-up which has begun leaves them alone", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, two } = await withMistakes(cluster);
    // As git does with objects that no ref needs: they become loose, and keep their age.
    await a.git(APP, ["repack", "-Adq"]);
    await run("find", [join(a.gitDir(APP), "objects"), "-type", "f", "-exec", "touch", "-d", "60 days ago", "{}", "+"]);
    const { confirmation } = await ask(a, 2);
    a.onStatement = async (text, call) => {
      // The clean-up, which has found out before which objects no ref needs, removes the old ones now.
      const loose = ["-type", "f", "-path", "*/objects/??/*", "-mtime", "+14", "-delete"];
      if (text.includes("lockstep.bump(")) await run("find", [a.gitDir(APP), ...loose]);
      return await call();
    };
    await ask(a, 2, confirmation);
    expect(await a.has(APP, two)).toBe(true);
    await expectEverywhere([a, b], { "refs/heads/main": two });
  });

  it("are on as many devices as the repository wants before it lands", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, two } = await withMistakes(cluster);
    await cluster.sql("update lockstep.repository set min_copies = 2");
    await prune(b);
    let held = false;
    a.onStatement = async (text, call) => {
      if (text.includes("lockstep.bump(")) held = await b.has(APP, two);
      return await call();
    };
    await undo(a, 2);
    expect(held).toBe(true);
    await b.crash();
    await cluster.sql("update lockstep.device set expires_at = '-infinity' where name = 'repo002'");
    await expect(undo(a, 3)).rejects.toMatchObject({ code: "NOT_ENOUGH_COPIES" });
    expect(await head(cluster)).toBe("4");
  });
});

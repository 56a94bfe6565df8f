// The sync log, and the rows of all logs: how they are written, kept and deleted.
import { describe, expect, it, vi } from "vitest";
import { LockstepError } from "../../src/errors.ts";
import { listPushes, listSyncs } from "../../src/store/activity/list-events.ts";
import { unavailableError } from "../../src/store/database/sqlstate.ts";
import { writeEvents } from "../../src/sync/activity/keep-writing.ts";
import { catchUp } from "../../src/sync/catch-up/catch-up.ts";
import { trimDatabase } from "../../src/sync/retention/trim-database.ts";
import { askedBy } from "../support/asked.ts";
import * as site from "../support/event-log-site.ts";
import { change, SOON } from "../support/sync-device.ts";

site.startLoggingDevices();

describe("the sync log", () => {
  it("has each catch-up, and git's own words where one failed", async () => {
    const one = await site.a.commit(site.APP, "one");
    await site.a.push(site.APP, [change("main", null, one)]);
    await site.b.beforeGit('case "$*" in *index-pack*) echo "fatal: the disk is tired" >&2; exit 128 ;; esac');
    const failing = catchUp(site.b.context, site.b.replica(site.APP), 1n, {
      signal: AbortSignal.timeout(SOON.timeout),
    });
    await expect(failing).rejects.toBeInstanceOf(LockstepError);
    const failed = await listSyncs(site.a.context.db, { ...site.ANY, result: "failed" });
    expect(failed[0]).toMatchObject({ device: site.b.name, repository: site.APP, result: "failed", fromVersion: 0n });
    expect(failed[0]?.said).toBe("fatal: the disk is tired");
    await site.b.beforeGit("");
    await catchUp(site.b.context, site.b.replica(site.APP), 1n, {
      signal: AbortSignal.timeout(SOON.timeout),
      insist: true,
    });
    const filter = { ...site.ANY, repository: site.APP, device: site.b.name };
    await vi.waitFor(async () => {
      expect((await listSyncs(site.a.context.db, { ...filter, limit: 1 }))[0]).toMatchObject({
        ...{
          fromDevice: site.a.name,
          fromVersion: 0n,
          version: 1n,
          refsChanged: 1,
          result: "ok",
          error: null,
          said: null,
        },
      });
    }, SOON);
    expect(await listSyncs(site.a.context.db, { ...filter, until: new Date(Date.now() - 3_600_000) })).toEqual([]);
    expect(await listSyncs(site.a.context.db, { ...site.ANY, device: site.a.name, result: "failed" })).toEqual([]);
  });
});

describe("rows that wait to be written", () => {
  it("are written with one statement, however many there are", async () => {
    await site.commit("one");
    for (const name of ["x", "y", "z"]) await site.push(`HEAD:refs/heads/${name}`);
    const statements: string[] = [];
    await askedBy(site.a, statements, async () => await writeEvents(site.a.context));
    expect(statements.filter((text) => text.includes("event"))).toHaveLength(1);
    await askedBy(site.a, statements, async () => await writeEvents(site.a.context));
    expect(statements).toHaveLength(1);
    expect(await site.pushes()).toHaveLength(3);
  });

  it("are kept while the database is away, with the time of the push", async () => {
    await site.commit("one");
    await site.push("HEAD:refs/heads/main");
    site.a.onStatement = (text, run) =>
      text.includes("push_event") ? Promise.reject(unavailableError("away")) : run();
    await writeEvents(site.a.context);
    site.a.onStatement = (_, run) => run();
    expect(await listPushes(site.a.context.db, site.ANY)).toEqual([]);
    const before = Date.now();
    await vi.waitFor(() => expect(Date.now() - before).toBeGreaterThan(300), SOON);
    const [row] = await site.pushes();
    expect(row!.at.getTime()).toBeLessThan(before + 100);
  });

  it("are dropped and counted when the database refuses them, and later ones are written", async () => {
    await site.commit("one");
    await site.push("HEAD:refs/heads/main");
    await site.cluster.sql("alter table lockstep.push_event add constraint strict check (author <> 'ada')");
    await writeEvents(site.a.context);
    await site.cluster.sql("alter table lockstep.push_event drop constraint strict");
    expect(await site.pushes()).toEqual([]);
    const { text } = await site.a.context.metrics.page();
    expect(/^lockstep_dropped_log_rows_total.*$/m.exec(text)?.[0]).toBe(
      'lockstep_dropped_log_rows_total{log="pushes"} 1',
    );
    await site.push("HEAD:refs/heads/next");
    expect(await site.pushes()).toHaveLength(1);
  });
});

it("rows of the push log and of the pull log are deleted after their times, and younger ones stay", async () => {
  await site.commit("one");
  await site.push("HEAD:refs/heads/main");
  await site.push("HEAD:refs/heads/next");
  await site.asks(site.a);
  await site.pushes();
  await site.cluster.sql("update lockstep.push_event set at = at - interval '91 days' where version = 1");
  await site.cluster.sql("update lockstep.pull_event set at = at - interval '8 days'");
  expect(await trimDatabase(site.a.context)).toBe(2);
  expect(await site.pushes()).toMatchObject([{ version: 2n }]);
  expect(await site.pulls()).toEqual([]);
});

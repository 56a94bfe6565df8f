// How long the outcomes of writes are kept.
import { describe, expect, it } from "vitest";
import { LockstepError } from "../../src/errors.ts";
import { readLog } from "../../src/store/log/list-log.ts";
import { getWrite } from "../../src/store/write/find-write.ts";
import { trimDatabase } from "../../src/sync/retention/trim-database.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change } from "../support/sync-device.ts";
import { APP, inLog, trimTo, versions, versionsFrom } from "../support/trimming.ts";
import { isBump } from "../support/write-rows.ts";

describe("a write that was decided", () => {
  it("goes after its time; staged ones stay", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    await versions(a, 3);
    await a.expectInLockstep(APP);
    const [old] = await cluster.sql<{ id: string }>("select id from lockstep.write where version = 1");
    await cluster.sql("update lockstep.write set decided_at = decided_at - interval '31 days' where version <= 2");
    await cluster.sql(
      `insert into lockstep.write (id, repository_id, device, fence, author, base_version, started_at)
       select gen_random_uuid(), id, 'repo001', 0, 'ada', 3, '-infinity' from lockstep.repository`,
    );
    expect(await trimDatabase(a.context)).toBe(2);
    expect(await cluster.sql("select status, version from lockstep.write order by version")).toEqual([
      { status: "landed", version: "3" },
      { status: "staged", version: null },
    ]);
    await expect(getWrite(a.context.db, APP, old?.id ?? "")).rejects.toMatchObject({ code: "WRITE_NOT_FOUND" });
    // The log still has it.
    expect(await readLog(a.context.db, a.replica(APP).id, null, 9)).toHaveLength(3);
  });

  it("goes after its time too where the device has freed its copy without a record of that version", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    await versions(a, 1);
    await a.expectInLockstep(APP);
    await cluster.sql("update lockstep.write set decided_at = '-infinity'");
    await cluster.sql("update lockstep.replica set version = 0 where device = 'repo001'");
    expect(await trimDatabase(a.context)).toBe(0);
    await cluster.sql("update lockstep.replica set state = 'destroyed' where device = 'repo001'");
    expect(await trimDatabase(a.context)).toBe(1);
  });

  it("stays, however old, while its device does not know the outcome: the pusher is told the truth", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    let ask = () => {};
    const mayAsk = new Promise<void>((resolve) => {
      ask = resolve;
    });
    let landed = () => {};
    const hasLanded = new Promise<void>((resolve) => {
      landed = resolve;
    });
    a.onStatement = async (text, run) => {
      if (text.includes("settle_write")) await mayAsk;
      const answer = await run();
      if (!isBump(text)) return answer;
      landed();
      throw new LockstepError("DATABASE_UNAVAILABLE", "the answer was lost");
    };
    const pushing = a.push(APP, [change("main", null, one)]);
    await hasLanded;
    // The clock of the database jumps by years, and other devices go on.
    await b.read(APP);
    const ids = [one];
    await versionsFrom(b, ids, 3);
    await cluster.sql("update lockstep.write set decided_at = '-infinity' where decided_at is not null");
    await trimTo(b, "1");
    expect(await inLog(cluster)).toEqual([4]);
    ask();
    expect(await pushing).toEqual({ "refs/heads/main": null });
    a.onStatement = (_, run) => run();
    expect(await a.read(APP)).toMatchObject({ version: 4n });
    await a.expectInLockstep(APP);
    // Now it knows.
    await trimDatabase(b.context);
    expect(await cluster.sql("select version from lockstep.write")).toEqual([]);
  });
});

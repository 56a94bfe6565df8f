// After a fail-over nothing is decided while a device may still serve reads on the word of the old primary.
import { randomUUID } from "node:crypto";
import { uptime } from "node:os";
import pino from "pino";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Incarnation } from "../../src/domain.ts";
import { queryOnce } from "../../src/store/database/database.ts";
import { renewLease, takeOver } from "../../src/store/device/device-lease.ts";
import { readFold } from "../../src/store/log/fold.ts";
import { stopRepository } from "../../src/store/log/log-standing.ts";
import { confirmReads } from "../../src/store/write/confirm-reads.ts";
import { landWrite, settleWrite, stageWrite } from "../../src/store/write/writes.ts";
import { Lease } from "../../src/sync/lease/lease.ts";
import { db, makeDatabaseOfFile } from "../support/file-database.ts";
import { ref } from "../support/refs.ts";
import { soon } from "../support/soon.ts";
import { create, HERE, incarnation, repository, stage, starting } from "../support/store-rows.ts";

const MAIN = "refs/heads/main";
const A = "a".repeat(40);

let me: Incarnation;
let other: Incarnation;
let id: string;
makeDatabaseOfFile();
beforeEach(async () => {
  await queryOnce(db.work, "truncate lockstep.device, lockstep.repository cascade");
  me = await incarnation(db);
  other = await incarnation(db);
  ({ id } = await repository(db, me, other));
});

/** What the database looks like after a fail-over: all that it holds was written on another timeline. */
async function failOver(): Promise<void> {
  await queryOnce(db.work, "update lockstep.timeline set id = 'before'");
  await queryOnce(db.work, "update lockstep.device set timeline = 'before'");
}

const asked = () => ({ writeId: randomUUID(), repositoryId: id, base: 0n, author: "ada", names: [ref(MAIN)] });
const outcome = async () => (await stageWrite(db, me, asked())).outcome;

describe("after a fail-over", () => {
  it("nothing is staged until every device that was alive has renewed its lease", async () => {
    await failOver();
    expect(await outcome()).toBe("old_leases");
    await renewLease(db, me, HERE);
    expect(await outcome()).toBe("old_leases");
    await renewLease(db, other, HERE);
    expect(await outcome()).toBe("staged");
  });

  it("nothing staged before it is decided meanwhile, and it lands afterwards", async () => {
    const request = await stage(db, me, id, 0n, [create(MAIN, A)]);
    await failOver();
    await renewLease(db, me, HERE);
    expect(await landWrite(db, me, request)).toEqual({ outcome: "old_leases" });
    await renewLease(db, other, HERE);
    expect(await landWrite(db, me, request)).toEqual({ outcome: "landed", version: 1n });
  });

  it("a device that does not come back is waited for as long as its lease could last, by the clock of the new primary", async () => {
    await queryOnce(db.work, "update lockstep.device set ttl = '2 hours'");
    await failOver();
    await renewLease(db, me, HERE);
    expect(await outcome()).toBe("old_leases");
    const hourPasses = "update lockstep.timeline set since = since - interval '1 hour'";
    await queryOnce(db.work, hourPasses);
    expect(await outcome()).toBe("old_leases");
    await queryOnce(db.work, hourPasses);
    expect(await outcome()).toBe("staged");
  });

  /** The clock of the old primary, and when the other device renewed its lease there, if that was before this one did. */
  async function oldTimes(behind: string, earlier = "0 s"): Promise<void> {
    await queryOnce(db.work, "update lockstep.device set expires_at = expires_at - $1::interval", [behind]);
    await queryOnce(db.work, "update lockstep.device set expires_at = expires_at - $1::interval where name = $2", [
      earlier,
      other.device,
    ]);
  }

  it.each(["-1 hour", "0 s", "1 hour"])(
    "a device whose lease had ended before another one renewed its own is not waited for (the old primary's clock: %s behind)",
    async (behind) => {
      await failOver();
      await oldTimes(behind, "20 s");
      await renewLease(db, me, HERE);
      expect(await outcome()).toBe("staged");
    },
  );

  it.each(["-1 hour", "1 hour"])(
    "a device that was alive is waited for, also where the clock of the old primary was an hour behind or ahead (%s)",
    async (behind) => {
      await failOver();
      await oldTimes(behind, "5 s");
      await renewLease(db, me, HERE);
      expect(await outcome()).toBe("old_leases");
      await renewLease(db, other, HERE);
      expect(await outcome()).toBe("staged");
    },
  );

  it("a second one before the first is over still waits for who believes the first primary", async () => {
    await failOver();
    await oldTimes("1 hour");
    await renewLease(db, me, HERE);
    await queryOnce(db.work, "update lockstep.timeline set id = 'between'");
    await queryOnce(db.work, "update lockstep.device set timeline = 'between' where name = $1", [me.device]);
    await renewLease(db, me, HERE);
    expect(await outcome()).toBe("old_leases");
    await renewLease(db, other, HERE);
    expect(await outcome()).toBe("staged");
  });

  it("a device whose renewal has arrived, and whose answer has not, counts as one that still believes the old primary", async () => {
    await failOver();
    await renewLease(db, me, HERE);
    expect(await renewLease(db, other, "before")).toBe(HERE);
    expect(await outcome()).toBe("old_leases");
    await renewLease(db, other, HERE);
    expect(await outcome()).toBe("staged");
  });

  it("a device that finds the new primary says at once that it has left the old one", async () => {
    await failOver();
    await renewLease(db, me, HERE);
    const lease = new Lease(db, other, pino({ enabled: false }), { askedAt: uptime() * 1_000, timeline: "before" });
    const answers: string[] = [];
    const onFailOver = () => void answers.push(lease.timeline);
    const stop = new AbortController();
    const kept = lease.keep({ onFenced: () => {}, onFailOver }, stop.signal);
    await lease.renewSoon();
    expect({ answers, outcome: await outcome() }).toEqual({ answers: [HERE], outcome: "staged" });
    stop.abort();
    await kept;
  });

  it("a sidecar on another root waits until a lease of the old primary has ended, by the clock of the new one", async () => {
    await queryOnce(db.work, "update lockstep.device set ttl = '800 milliseconds'");
    await failOver();
    await oldTimes("1 hour");
    const successor = starting({ device: other.device, rootId: randomUUID() });
    const held = await takeOver(db, successor);
    expect(held).toEqual({ outcome: "held", waitMs: expect.any(Number) });
    expect((held as { waitMs: number }).waitMs).toBeLessThanOrEqual(800);
    const SOON = soon(20);
    await vi.waitFor(async () => expect(await takeOver(db, successor)).toMatchObject({ outcome: "taken" }), SOON);
    const [row] = await queryOnce(
      db.work,
      "select clock_timestamp() >= since + interval '800 milliseconds' as lapsed from lockstep.timeline",
    );
    expect(row).toEqual({ lapsed: true });
  });

  it("a device that is new waits for nobody, and nobody waits for it", async () => {
    await failOver();
    await renewLease(db, me, HERE);
    await renewLease(db, other, HERE);
    expect(await takeOver(db, starting())).toMatchObject({ outcome: "taken", timeline: HERE });
    expect(await outcome()).toBe("staged");
  });

  it("nothing is confirmed that comes from a log that another server told", async () => {
    expect(await confirmReads(db, me, HERE)).toBe("confirmed");
    expect(await confirmReads(db, me, "before")).toBe("elsewhere");
    expect(await confirmReads(db, me, null)).toBe("elsewhere");
    expect(await confirmReads(db, { ...me, fence: me.fence - 1n }, HERE)).toBe("fenced");
  });

  it("the answer of an earlier decision stays the same", async () => {
    const request = await stage(db, me, id, 0n, [create(MAIN, A)]);
    await landWrite(db, me, request);
    await failOver();
    expect(await landWrite(db, me, request)).toEqual({ outcome: "landed", version: 1n });
    expect(await settleWrite(db, me, request, "asked")).toEqual({ status: "landed", version: 1n });
  });
});

describe("a write that was settled before it was staged", () => {
  it("is dropped, and a stage_write that was held up stages nothing", async () => {
    const request = asked();
    expect(await settleWrite(db, me, request, "nobody waits")).toEqual({ status: "dropped", reason: "nobody waits" });
    expect(await stageWrite(db, me, request)).toEqual({ outcome: "dropped" });
    const [{ staged }] = (await queryOnce(
      db.work,
      "select count(*)::int as staged from lockstep.write where status = 'staged'",
    )) as [{ staged: number }];
    expect(staged).toBe(0);
  });

  it("is dropped also while its stage_write is under way in another session", async () => {
    const request = asked();
    const stop = new AbortController();
    const staging = (async () => {
      while (!stop.signal.aborted) {
        const write = asked();
        const [staged, settled] = await Promise.all([
          stageWrite(db, me, write),
          settleWrite(db, me, write, "meanwhile"),
        ]);
        expect(settled).toEqual({ status: "dropped", reason: "meanwhile" });
        expect(["staged", "dropped"]).toContain(staged.outcome);
      }
    })();
    for (let turn = 0; turn < 50; turn += 1) await settleWrite(db, me, request, "again");
    stop.abort();
    await staging;
    const rows = await queryOnce(db.work, "select 1 from lockstep.write where status = 'staged'");
    expect(rows).toEqual([]);
  });
});

describe("a repository", () => {
  it("is not stopped by a device whose version the log has: it was compared with another server", async () => {
    const request = await stage(db, me, id, 0n, [create(MAIN, A)]);
    await landWrite(db, me, request);
    const { digest } = await readFold(db, id);
    const held = { repositoryId: id, version: 1n, digest: digest.toString("hex") };
    expect(await stopRepository(db, me, held, "an old primary said so")).toBe(false);
    const [row] = await queryOnce(db.work, "select stopped from lockstep.repository where id = $1", [id]);
    expect(row).toEqual({ stopped: null });
    expect(await stopRepository(db, me, { ...held, version: 2n }, "it is ahead")).toBe(true);
  });
});

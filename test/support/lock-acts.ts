// The statements that lock rows, each with rows on which it finds something to do (../integration/lock-order.test.ts).
import { randomUUID } from "node:crypto";
import { EMPTY_DIGEST } from "../../src/digest.ts";
import type { Incarnation } from "../../src/domain.ts";
import { adoptRepository, allowTakeOver, clearTakeOver, noteLate } from "../../src/store/adopt/adoption.ts";
import { recordUnknown } from "../../src/store/adopt/unknown-directories.ts";
import { endCommand, enqueueCommand, startCommand } from "../../src/store/command/commands.ts";
import { type Database, queryOnce, queryOnceRow } from "../../src/store/database/database.ts";
import { releaseLease, renewLease, takeOver } from "../../src/store/device/device-lease.ts";
import { stopRepository } from "../../src/store/log/log-standing.ts";
import { appendThaw } from "../../src/store/operator/thaw.ts";
import { enrollKey, revokeKey, trustKey } from "../../src/store/registry/registry.ts";
import { recordFailure, recordVersion, reviseVersions } from "../../src/store/replica/record-replica.ts";
import { destroyReplica, releaseReplica } from "../../src/store/replica/release-replica.ts";
import { recordPlace, renameRepository } from "../../src/store/repository/former-names.ts";
import { removeRepository, restoreRepository } from "../../src/store/repository/removals.ts";
import { setRepository } from "../../src/store/repository/repositories.ts";
import { setKeepLog } from "../../src/store/retention/keep-times.ts";
import { recordKept } from "../../src/store/retention/kept-space.ts";
import { claimTrim, trimLog, trimWrites } from "../../src/store/retention/trim-rows.ts";
import { landTogether } from "../../src/store/write/land-together.ts";
import {
  beginSession,
  dropExpiredSessions,
  giveUpSession,
  landUnchanged,
  renewSession,
} from "../../src/store/write/sessions.ts";
import { leaveTurn, renewTickets, takeTurn } from "../../src/store/write/turns.ts";
import { endWriteStops, stopNewWrites, stopStagedWrites } from "../../src/store/write/write-stops.ts";
import { landWrite, settleWrite, stageWrite } from "../../src/store/write/writes.ts";
import { refsFrom, update } from "./refs.ts";
import { HERE, incarnation, repository, starting } from "./store-rows.ts";

/** Whose ticket is the first. */
export type Holder = "push" | "session" | "next";

const CALLER = "frontend web";

const EVENT = { fromDevice: "x", fromVersion: 0n, bytes: 0, refsChanged: 0, durationMs: 0 };

/** A repository with what every statement finds something to do with. */
export interface Place {
  readonly me: Incarnation;
  /** Its lease has ended. */
  readonly other: Incarnation;
  readonly id: string;
  readonly name: string;
  readonly headDigest: Buffer;
  /** Staged. */
  readonly push: string;
  readonly session: string;
  /** Has a ticket, and has not begun. */
  readonly next: string;
  /** Running; another one waits. */
  readonly command: string;
}

export async function place(db: Database, holder: Holder): Promise<Place> {
  const [me, other] = [await incarnation(db), await incarnation(db)];
  const { id, name } = await repository(db, me, other);
  const row = await queryOnceRow<{ digest: Buffer }>(
    db.work,
    "select head_digest as digest from lockstep.repository where id = $1",
    [id],
  );
  const made = { me, other, id, name, headDigest: row.digest };
  const writes = { push: randomUUID(), session: randomUUID(), next: randomUUID() };
  const ticket = (writeId: string) => ({ repositoryId: id, writeId, author: "ada", reason: "test" });
  // One that has run out, to be cleared away, and one of another device.
  await takeTurn(db, me, ticket(randomUUID()));
  for (const kind of [holder, ...(["push", "session", "next"] as const).filter((other) => other !== holder)])
    await takeTurn(db, me, kind === "push" ? ticket(writes.push) : { ...ticket(writes[kind]), caller: CALLER });
  await takeTurn(db, other, ticket(randomUUID()));
  await queryOnce(
    db.work,
    `update lockstep.turn set expires_at = clock_timestamp() where ticket =
       (select min(ticket) from lockstep.turn where repository_id = $1)`,
    [id],
  );
  await queryOnce(
    db.work,
    `insert into lockstep.write (id, repository_id, device, fence, author, base_version, session, caller, token_hash)
     values ($1, $3, $4, $5, 'ada', 0, false, null, null), ($2, $3, $4, $5, 'ada', 0, true, $6, $7)`,
    [writes.push, writes.session, id, me.device, me.fence, CALLER, Buffer.alloc(32)],
  );
  const asked = { repositoryId: id, repository: name, device: me.device, author: "ada" };
  const command = await enqueueCommand(db, { ...asked, command: "sync" });
  await startCommand(db, me, "first", randomUUID());
  await enqueueCommand(db, { ...asked, command: "gc" });
  await releaseLease(db, other);
  return { ...made, ...writes, command };
}

export type Act = (db: Database, place: Place) => Promise<unknown>;

export const ACTS: Record<string, Act> = {
  take_turn: (db, { me, id }) =>
    takeTurn(db, me, { repositoryId: id, writeId: randomUUID(), author: "ada", reason: "push" }),
  "take_turn again": (db, { me, id, push }) =>
    takeTurn(db, me, { repositoryId: id, writeId: push, author: "ada", reason: "push" }),
  renewTickets: (db, { me, push, session, next }) => renewTickets(db, me, [next, session, push]),
  leaveTurn: (db, { push }) => leaveTurn(db, push),
  begin_session: (db, { me, id, next }) =>
    beginSession(db, me, {
      writeId: next,
      repositoryId: id,
      author: "ada",
      reason: "",
      caller: CALLER,
      tokenHash: Buffer.alloc(32),
    }),
  give_up_session: (db, { me, session }) => giveUpSession(db, me, { writeId: session, caller: CALLER, reason: "test" }),
  renewSession: (db, { me, session }) => renewSession(db, me, session),
  drop_expired_sessions: (db) => dropExpiredSessions(db),
  "stage_write of a session": (db, { me, id, session }) =>
    stageWrite(db, me, { writeId: session, repositoryId: id, base: 0n, author: "ada", names: [], session: true }),
  land_unchanged: (db, { me, session }) => landUnchanged(db, me, session),
  stage_write: (db, { me, id }) =>
    stageWrite(db, me, { writeId: randomUUID(), repositoryId: id, base: 0n, author: "ada", names: [] }),
  bump: (db, { me, id, push }) =>
    landWrite(db, me, { writeId: push, repositoryId: id, base: 0n, difference: EMPTY_DIGEST, updates: [] }),
  "bump of a write that is not staged": (db, { me, id }) =>
    landWrite(db, me, {
      ...{ writeId: randomUUID(), repositoryId: id, base: 0n, difference: EMPTY_DIGEST, updates: [] },
      atOnceBy: "ada",
    }),
  bump_together: (db, { me, id, headDigest: baseDigest }) =>
    landTogether(db, me, {
      ...{ repositoryId: id, base: 0n, baseDigest },
      writes: ["one", "two"].map((each) => ({
        ...{ writeId: randomUUID(), repositoryId: id, author: "ada", difference: EMPTY_DIGEST },
        updates: [update(`refs/heads/${each}`, null, "b".repeat(40))],
      })),
    }),
  settle_write: (db, { me, id, push }) =>
    settleWrite(db, me, { writeId: push, repositoryId: id, author: "ada" }, "test"),
  "settle_write of a session": (db, { me, id, session }) =>
    settleWrite(db, me, { writeId: session, repositoryId: id, author: "ada" }, "test"),
  "settle_write of a write that has no row": (db, { me, id }) =>
    settleWrite(db, me, { writeId: randomUUID(), repositoryId: id, author: "ada" }, "test"),
  take_over: (db, { me }) => takeOver(db, starting({ device: me.device })),
  enqueue_command: (db, { me, id, name }) =>
    enqueueCommand(db, {
      repositoryId: id,
      repository: name,
      device: me.device,
      command: "release",
      author: "ada",
      daemon: true,
    }),
  rename_repository: (db, { name }) =>
    renameRepository(db, { name, newName: `r-${randomUUID()}`, author: "ada", reason: "" }),
  remove_repository: (db, { id, name }) => removeRepository(db, { id, name, author: "ada", reason: "", keepDays: 1 }),
  restore_repository: async (db, { id, name }) => {
    await queryOnce(
      db.work,
      `update lockstep.repository set name = '.removed/' || id, removed_name = name, removed_at = now(), keep_until = now() + interval '1 day' where id = $1`,
      [id],
    );
    await restoreRepository(db, { id, name, author: "ada", reason: "" });
  },
  release_replica: (db, { me, id }) => releaseReplica(db, me, id, 1),
  destroy_replica: (db, { me, id }) => destroyReplica(db, me, id, "0"),
  recordPlace: (db, { me, id, name }) => recordPlace(db, me, id, name),
  start_command: (db, { me }) => startCommand(db, me, "heavy", randomUUID()),
  end_command: (db, { me, command }) => endCommand(db, me, command, { state: "done" }),
  "take_over of another device": (db, { other }) => takeOver(db, starting({ device: other.device })),
  renewLease: (db, { me }) => renewLease(db, me, HERE),
  thaw: (db, { me, other, id, headDigest }) =>
    appendThaw(db, me, {
      writeId: randomUUID(),
      repositoryId: id,
      head: 0n,
      headDigest,
      version: 1n,
      digest: headDigest,
      updates: [],
      author: "olga",
      action: "demote",
      demoted: [other.device],
    }),
  stop_repository: (db, { me, id }) => stopRepository(db, me, { repositoryId: id, version: 3n, digest: "00" }, "test"),
  "trust_key and revoke_key": async (db, { me }) => {
    const name = { role: "device" as const, name: me.device };
    const key = { kind: "x509" as const, fingerprint: "sha256:00", publicKey: null };
    await trustKey(db, name, { key, access: undefined, author: "olga" });
    await revokeKey(db, name, { fingerprint: undefined, author: "olga", reason: "test" });
  },
  "revoke_key of a caller": async (db) => {
    const [role, name] = CALLER.split(" ") as ["frontend", string];
    const key = { kind: "x509" as const, fingerprint: "sha256:01", publicKey: null };
    await trustKey(db, { role, name }, { key, access: undefined, author: "olga" });
    await revokeKey(db, { role, name }, { fingerprint: undefined, author: "olga", reason: "test" });
  },
  enroll_key: (db, { me }) =>
    enrollKey(db, {
      ...{ role: "device", name: me.device, kind: "x509", fingerprint: "sha256:02", publicKey: null },
      ...{ by: me.device, open: true, self: { root: null, tokenHash: null } },
    }),
  recordVersion: (db, { me, id }) => recordVersion(db, me, id, 0n, EVENT),
  recordFailure: (db, { me, id }) =>
    recordFailure(db, me, id, { error: "test", broken: true, fromVersion: 0n, version: 0n, durationMs: 0 }),
  reviseVersions: (db, { me, id }) => reviseVersions(db, me, [{ repositoryId: id, version: -1n }]),
  adopt: (db, { me, other, name }) =>
    adoptRepository(db, me, {
      ...{
        repositoryId: randomUUID(),
        name: `${name}-adopted`,
        objectFormat: "sha1",
        version: 1n,
        writeId: randomUUID(),
      },
      ...{ digestKey: Buffer.alloc(32), digest: Buffer.alloc(32), author: "olga", settles: false },
      refs: refsFrom({ HEAD: "ref: refs/heads/main" }),
      others: new Map([[other.device, "same"]]),
    }),
  noteLate: (db, { me, id }) => noteLate(db, me, id),
  clearTakeOver: (db, { me, id }) => clearTakeOver(db, me, id),
  allowTakeOver: (db, { me, id }) => allowTakeOver(db, me, id, "same"),
  recordUnknown: (db, { me, name }) =>
    recordUnknown(db, me, { after: "", last: undefined }, [
      { path: `/srv/${name}.git`, repository: name, repositoryId: null, version: null },
    ]),
  claim_trim: (db, { id }) => claimTrim(db, id, { versions: 1n, days: 0 }, 100),
  trim_log: (db, { id }) => trimLog(db, id, 100),
  trim_writes: (db) => trimWrites(db, 0, 100),
  setKeepLog: (db, { name }) => setKeepLog(db, name, null),
  recordKept: (db, { me }) => recordKept(db, me, [{ subject: "lost", items: 1n, bytes: 0n }]),
  setRepository: (db, { name }) => setRepository(db, name, { minCopies: 2, landWithFewer: null }),
  stopNewWrites: (db, { id }) => stopNewWrites(db, [id], { author: "olga", reason: "test" }),
  stopStagedWrites: async (db, { id }) => {
    await stopNewWrites(db, [id], { author: "olga", reason: "test" });
    await stopStagedWrites(db, [id]);
  },
  endWriteStops: async (db, { id }) => {
    await stopNewWrites(db, [id], { author: "olga", reason: "test" });
    await endWriteStops(db, [id], "olga");
  },
};

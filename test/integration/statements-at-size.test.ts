// Every statement of the store against tables with a million rows, before and after their statistics are there: how
// many rows it touches must not depend on how many there are, or only as this table says. A plan that is quadratic only
// at size shows nowhere else.
import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Incarnation, RefValue } from "../../src/domain.ts";
import {
  allowTakeOver,
  clearTakeOver,
  hasOpenAdoption,
  listLate,
  noteLate,
  readAdoption,
  repositoryOf,
} from "../../src/store/adopt/adoption.ts";
import {
  listUnknown,
  listUnknownOf,
  notReplicas,
  recordUnknown,
  unknownNamed,
} from "../../src/store/adopt/unknown-directories.ts";
import { endCommand, startCommand } from "../../src/store/command/commands.ts";
import { commandedReplica, findCommand, listCommands, queueDepth } from "../../src/store/command/find-commands.ts";
import { enqueueRepairs, FIRST_REPOSITORY } from "../../src/store/command/repairs.ts";
import { Database } from "../../src/store/database/database.ts";
import { leaseHasEnded, releaseLease, renewLease } from "../../src/store/device/device-lease.ts";
import { recordedRoot, recordRoot } from "../../src/store/device/device-root.ts";
import { findDevice, listDevices, readRemainder } from "../../src/store/device/devices.ts";
import { firstVersion, readDigestKey, valuesSince, versionOfDigest } from "../../src/store/log/digests.ts";
import { readFold } from "../../src/store/log/fold.ts";
import { readLog } from "../../src/store/log/list-log.ts";
import { readStandings } from "../../src/store/log/log-standing.ts";
import { readLoggedVersion } from "../../src/store/log/logged-version.ts";
import { pushedLately } from "../../src/store/log/pushed-lately.ts";
import { readChanges, readDigest, readSettlements } from "../../src/store/log/ref-log.ts";
import { readUnchangedTips } from "../../src/store/log/unchanged-tips.ts";
import { listStatus } from "../../src/store/operator/status.ts";
import { listAwayWith, listDemotable, listPromotable } from "../../src/store/operator/thawable.ts";
import { listHeldAlone } from "../../src/store/replica/hand-over.ts";
import { isUnplaced, replicaElsewhereError, writesElsewhereError } from "../../src/store/replica/placement.ts";
import { lastSync, recordFailure, recordVersion, reviseVersions } from "../../src/store/replica/record-replica.ts";
import {
  assertHeld,
  listActive,
  listReplicas,
  listReplicasAfter,
  recordedVersion,
  replicaName,
  replicasOf,
  replicaWasHere,
} from "../../src/store/replica/replicas.ts";
import { listScrubs, nextToScrub, recordScrub, scrubPace } from "../../src/store/replica/scrubs.ts";
import { recentSyncs } from "../../src/store/replica/sync-events.ts";
import { listMoving, missingRepositoryError, movingFrom, placeOf } from "../../src/store/repository/former-names.ts";
import { readHeads } from "../../src/store/repository/read-heads.ts";
import {
  listRemoved,
  newestRemoval,
  possiblePlaces,
  purgeRemoved,
  removalOf,
  writesOf,
} from "../../src/store/repository/removals.ts";
import {
  findRepository,
  isRepository,
  listRepositories,
  setRepository,
  setUpdateLimit,
} from "../../src/store/repository/repositories.ts";
import { readKeeps, setKeep, setKeepLog } from "../../src/store/retention/keep-times.ts";
import { listKept } from "../../src/store/retention/kept-space.ts";
import {
  claimTrim,
  trimAudit,
  trimCommands,
  trimFormerNames,
  trimLog,
  trimSyncs,
  trimWrites,
} from "../../src/store/retention/trim-rows.ts";
import {
  claimHooks,
  deleteHook,
  findHook,
  listHooks,
  recordHookFailure,
  recordHookProgress,
} from "../../src/store/watch/hooks.ts";
import { findHeld, readHeld, readLanded, trimmedUpTo } from "../../src/store/watch/landed.ts";
import { readLogTail } from "../../src/store/watch/log-tail.ts";
import { currentWriter, getWrite, listStaged } from "../../src/store/write/find-write.ts";
import { refsInTheWay } from "../../src/store/write/refs-in-the-way.ts";
import { dropExpiredSessions, findSession, sessionEnds } from "../../src/store/write/sessions.ts";
import { leaveTurn, listTickets, readTurns, renewTickets, takeTurn, turnHolder } from "../../src/store/write/turns.ts";
import { listWriteStops, stopTargets } from "../../src/store/write/write-stops.ts";
import { confirmReads, landWrite, settleWrite, stageWrite } from "../../src/store/write/writes.ts";
import { administer } from "../support/administer.ts";
import { migratedDatabase, type TestDatabase } from "../support/database.ts";
import { ref } from "../support/refs.ts";
import { HERE, incarnation } from "../support/store-rows.ts";

const HUGE = "00000000-0000-4000-8000-000000000001";
const SMALL = "00000000-0000-4000-8000-000000000002";
const WRITE = "00000000-0000-4000-8000-000000000003";
/** Refs of the huge repository, and updates in its log, five a version. */
const REFS = 1_000_000;
const VERSIONS = 200_000;
const REPOSITORIES = 30_000;
/** Of replicas that one pass of the repair loop compares with their heads. */
const PAGE = 500;
/** A statement whose plan is quadratic would run for hours; this is no measure of speed. */
const GUARD = "90s";

let database: TestDatabase;
let db: Database;
let me: Incarnation;

/** No statistics but those that a test asks for. Rows are made without their triggers and foreign keys, which takes half the time. */
async function fill(client: pg.Client): Promise<void> {
  await client.query("set session_replication_role = replica");
  const { rows } = await client.query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'lockstep' and tablename not in ('migration', 'schema_level')",
  );
  for (const { name } of rows) await client.query(`alter table lockstep.${name} set (autovacuum_enabled = off)`);
  const devices = "array['a', 'b', 'c']";
  await client.query(
    `insert into lockstep.repository (id, name, object_format, digest_key, head_digest, head_version)
     select gen_random_uuid(), 'r/' || i, 'sha1', 'k'::bytea, 'd'::bytea, 0 from generate_series(1, $1::int) i
     union all select '${HUGE}'::uuid, 'huge', 'sha1', 'k'::bytea, 'd'::bytea, $2 union all select '${SMALL}'::uuid, 'small', 'sha1', 'k'::bytea, 'd'::bytea, 0`,
    [REPOSITORIES, VERSIONS],
  );
  await client.query(
    `insert into lockstep.replica (repository_id, device, version, state)
     select id, device, head_version, 'active' from lockstep.repository, unnest(${devices}) device`,
  );
  await client.query(
    `insert into lockstep.repository_ref (repository_id, name, value)
     select '${HUGE}', convert_to('refs/heads/' || i, 'UTF8'), repeat('a', 40)::bytea from generate_series(1, $1::int) i`,
    [REFS],
  );
  await client.query(
    `insert into lockstep.ref_log (repository_id, version, write_id, device, fence, author, digest)
     select '${HUGE}', i, gen_random_uuid(), 'a', 1, 'ada', 'd' from generate_series(1, $1::int) i`,
    [VERSIONS],
  );
  await client.query(
    "insert into lockstep.log_trimmed (repository_id, position) select id, 1 from lockstep.repository",
  );
  await client.query(
    `insert into lockstep.ref_log_update (repository_id, version, name, old_value, new_value)
     select '${HUGE}', v, convert_to('refs/heads/' || (v * 5 + i), 'UTF8'), null, repeat('a', 40)::bytea
     from generate_series(1, $1::int) v, generate_series(1, 5) i`,
    [VERSIONS],
  );
  await client.query(
    `insert into lockstep.write (id, repository_id, device, fence, author, base_version, status, version, decided_at)
     select gen_random_uuid(), '${HUGE}'::uuid, 'a', 1, 'ada', i - 1, 'landed', i, now() from generate_series(1, $1::int) i
     union all select '${WRITE}'::uuid, '${SMALL}'::uuid, 'a', 1, 'ada', 0, 'staged', null::int, null::timestamptz`,
    [VERSIONS],
  );
  await client.query(
    `insert into lockstep.sync_event (repository_id, device, from_device, from_version, version, bytes, refs_changed, duration_ms, result)
     select id, device, 'b', 0, 0, 0, 0, 0, 'ok' from lockstep.repository, unnest(${devices}) device, generate_series(1, 2)`,
  );
  await client.query(
    `insert into lockstep.command (id, repository_id, repository, device, command, author, state, ended_at)
     select gen_random_uuid(), r.id, r.name, d.device, 'sync', 'ada', d.state, case when d.state = 'done' then now() end
     from lockstep.repository r, (values ('a', 'done'), ('c', 'queued')) d (device, state)`,
  );
  await client.query(
    `insert into lockstep.command (id, repository_id, repository, device, command, author)
     values ('${WRITE}', '${SMALL}', 'small', 'a', 'gc', 'ada')`,
  );
}

beforeAll(async () => {
  database = await migratedDatabase();
  db = new Database({ url: database.url, applicationName: "at size" });
  me = await incarnation(db, { device: "a" });
  for (const device of ["b", "c"]) await incarnation(db, { device });
  await administer(database.url, fill);
}, 300_000);
afterAll(async () => {
  await db[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const ticket = () => ({ repositoryId: SMALL, writeId: randomUUID(), author: "ada", reason: "push" });
const write = () => ({ writeId: randomUUID(), repositoryId: HUGE, base: BigInt(VERSIONS), author: "ada" });
const name = ref("refs/heads/17");
const value = "b".repeat(40) as unknown as RefValue;
const names = Array.from({ length: 500 }, (_, index) => ref(`refs/heads/${index * 7}`));
const ids = [HUGE, SMALL];
const search = (everything: boolean) => ({
  everything,
  positions: [0n, 20n] as const,
  page: { after: FIRST_REPOSITORY, size: PAGE },
  room: 400,
});

/** Rows that a statement may touch, whatever the tables hold. */
const FEW = 300;
/** What grows with the tables touches no more rows than this for each row that it is about. */
const TIMES = 5;

/** Statement → what calls it, and how many rows it may touch; `untilAnalyzed`: while PostgreSQL has no statistics. */
const STATEMENTS: Readonly<Record<string, { call: () => Promise<unknown>; rows: number; untilAnalyzed?: number }>> = {
  // These grow with what they are about; the tables say how far.
  readFold: { call: () => readFold(db, HUGE), rows: TIMES * REFS },
  readChanges: { call: () => readChanges(db, HUGE, 0n), rows: TIMES * 7 * VERSIONS },
  "readChanges, a little behind": { call: () => readChanges(db, HUGE, BigInt(VERSIONS) - 3n), rows: FEW },
  readUnchangedTips: { call: () => readUnchangedTips(db, HUGE, BigInt(VERSIONS) - 20n, 256), rows: TIMES * REFS },
  "readUnchangedTips, far behind": { call: () => readUnchangedTips(db, HUGE, 0n, 256), rows: TIMES * REFS },
  readLog: { call: () => readLog(db, HUGE, null, 20), rows: 2_000 },
  readLoggedVersion: { call: () => readLoggedVersion(db, HUGE, 5n), rows: FEW },
  claimTrim: { call: () => claimTrim(db, HUGE, { versions: 10n, days: 0 }, 500), rows: TIMES * 500 },
  "claimTrim, nothing is due": { call: () => claimTrim(db, null, { versions: 10n, days: 0 }, 500), rows: FEW },
  trimLog: { call: () => trimLog(db, HUGE, 100), rows: 2 * TIMES * 600 },
  trimWrites: { call: () => trimWrites(db, 30, 100), rows: 2 * TIMES * 100 },
  trimCommands: { call: () => trimCommands(db, 30, 100), rows: FEW },
  trimAudit: { call: () => trimAudit(db, 30, 100), rows: 2 * TIMES * 100 },
  trimSyncs: { call: () => trimSyncs(db, 30, 100), rows: 2 * TIMES * 100 },
  readKeeps: { call: () => readKeeps(db), rows: FEW },
  setKeep: { call: () => setKeep(db, "log", "10000,90d", "olga"), rows: FEW },
  setKeepLog: { call: () => setKeepLog(db, "small", null), rows: FEW },
  listKept: { call: () => listKept(db), rows: 5_000 },
  listActive: { call: () => listActive(db, "a", ids), rows: FEW },
  readSettlements: { call: () => readSettlements(db, HUGE, 0n), rows: FEW },
  enqueueRepairs: {
    call: () => enqueueRepairs(db, me, search(false)),
    rows: TIMES * 4 * PAGE,
    // It takes the replicas of a device for so few that it sorts all of them.
    untilAnalyzed: TIMES * REPOSITORIES,
  },
  "enqueueRepairs, everything": { call: () => enqueueRepairs(db, me, search(true)), rows: 2 * TIMES * REPOSITORIES },
  replicaWasHere: { call: () => replicaWasHere(db, "a", HUGE), rows: FEW },
  listStatus: { call: () => listStatus(db, 1_000), rows: TIMES * 5 * REPOSITORIES },
  listReplicasAfter: { call: () => listReplicasAfter(db, "a", "r/2", 100), rows: TIMES * REPOSITORIES },
  listRepositories: { call: () => listRepositories(db, "r/2", 100), rows: FEW },
  listStaged: { call: () => listStaged(db, null), rows: TIMES * REPOSITORIES },
  stageWrite: {
    call: () => stageWrite(db, me, { ...write(), names }),
    rows: TIMES * names.length,
  },
  landWrite: {
    call: async () => {
      const request = { ...write(), names: [name] };
      await stageWrite(db, me, request);
      const updates = [{ name, oldValue: "a".repeat(40) as unknown as RefValue, newValue: value }];
      // Not run before it is looked at: once it has landed, it is only found.
      return await landWrite(db, me, { ...request, digest: Buffer.from("d"), updates }).catch(() => {});
    },
    rows: FEW,
  },
  refsInTheWay: {
    call: () => refsInTheWay(db, HUGE, { above: names, below: names.map((each) => ({ name: each, most: 1 })) }),
    rows: TIMES * 3 * names.length,
  },
  // One row for each open command of the device.
  queueDepth: { call: () => queueDepth(db, "c"), rows: TIMES * REPOSITORIES },
  // These touch a few rows, however many there are.
  commandedReplica: { call: () => commandedReplica(db, "a", HUGE), rows: FEW },
  endCommand: { call: () => endCommand(db, me, WRITE, { state: "done" }), rows: FEW },
  findCommand: { call: () => findCommand(db, WRITE), rows: FEW },
  listCommands: { call: () => listCommands(db, { limit: 20 }), rows: FEW },
  "listCommands of a repository": { call: () => listCommands(db, { repository: "huge", limit: 20 }), rows: FEW },
  claimHooks: { call: () => claimHooks(db, me), rows: FEW },
  deleteHook: { call: () => deleteHook(db, WRITE, "ada"), rows: FEW },
  findHeld: { call: () => findHeld(db, [17n, 99_999n]), rows: FEW },
  findHook: { call: () => findHook(db, WRITE).catch(() => {}), rows: FEW },
  listHooks: { call: () => listHooks(db), rows: FEW },
  readHeld: {
    call: () => {
      const held = [{ repositoryId: HUGE, version: 100_000n, position: 100_000n }];
      return readHeld(db, held, { until: BigInt(VERSIONS), limit: 20 });
    },
    rows: 2_000,
  },
  readLanded: {
    call: () => readLanded(db, ["hu%"], { after: 100_000n, until: BigInt(VERSIONS), page: 50, limit: 20 }),
    rows: 2_000,
  },
  readLogTail: { call: () => readLogTail(db, 150_000n), rows: 5_000 },
  "readLogTail, from nowhere": { call: () => readLogTail(db, null), rows: FEW },
  recordHookFailure: {
    call: () => recordHookFailure(db, me, WRITE, { cursor: "1.0", attempts: 1, waitMs: 1, error: "e" }),
    rows: FEW,
  },
  recordHookProgress: {
    call: () => {
      const progress = { before: "1.0", cursor: "1.1", delivered: 1n, isDelivery: true, missed: false };
      return recordHookProgress(db, me, WRITE, progress);
    },
    rows: FEW,
  },
  trimmedUpTo: { call: () => trimmedUpTo(db, ["hu%"], 100_000n), rows: FEW },
  // Looks for the last trim of a matching repository.
  "trimmedUpTo, from the beginning": { call: () => trimmedUpTo(db, ["hu%"], 0n), rows: TIMES * REPOSITORIES },
  "startCommand, none is due": { call: () => startCommand(db, me, "first", randomUUID()), rows: FEW },
  startCommand: { call: () => startCommand(db, me, "heavy", randomUUID()), rows: FEW },
  currentWriter: { call: () => currentWriter(db, HUGE), rows: FEW },
  dropExpiredSessions: { call: () => dropExpiredSessions(db), rows: FEW },
  missingRepositoryError: { call: () => missingRepositoryError(db, "nobody"), rows: FEW },
  placeOf: { call: () => placeOf(db, "a", HUGE), rows: FEW },
  listMoving: { call: () => listMoving(db, "a"), rows: FEW },
  movingFrom: { call: () => movingFrom(db, "a", "huge"), rows: FEW },
  listRemoved: { call: () => listRemoved(db, 10), rows: FEW },
  newestRemoval: { call: () => newestRemoval(db, "nobody"), rows: FEW },
  removalOf: { call: () => removalOf(db, HUGE), rows: FEW },
  possiblePlaces: { call: () => possiblePlaces(db, "a", HUGE), rows: FEW },
  writesOf: { call: () => writesOf(db, HUGE, [WRITE]), rows: FEW },
  trimFormerNames: { call: () => trimFormerNames(db, 100), rows: FEW },
  purgeRemoved: { call: () => purgeRemoved(db, 100), rows: FEW },
  isRepository: { call: () => isRepository(db, "huge"), rows: FEW },
  findRepository: { call: () => findRepository(db, "huge"), rows: FEW },
  findSession: { call: () => findSession(db, "huge", { writeId: WRITE }).catch(() => {}), rows: FEW },
  getWrite: { call: () => getWrite(db, "small", WRITE), rows: FEW },
  lastSync: { call: () => lastSync(db, "a", HUGE), rows: FEW },
  leaseHasEnded: { call: () => leaseHasEnded(db, "a"), rows: FEW },
  leaveTurn: { call: () => leaveTurn(db, WRITE), rows: FEW },
  // One row for each open command of the devices.
  listDevices: { call: () => listDevices(db), rows: TIMES * REPOSITORIES },
  // For an operator: all replicas of one device.
  findDevice: { call: () => findDevice(db, "a"), rows: TIMES * REPOSITORIES },
  readRemainder: { call: () => readRemainder(db, "a", 100), rows: 2 * TIMES * REPOSITORIES },
  listDemotable: { call: () => listDemotable(db, ["a"]), rows: 5 * TIMES * REPOSITORIES },
  listPromotable: { call: () => listPromotable(db, "a"), rows: TIMES * REPOSITORIES },
  listAwayWith: { call: () => listAwayWith(db, ["huge", "small"]), rows: FEW },
  isUnplaced: { call: () => isUnplaced(db, "a"), rows: FEW },
  writesElsewhereError: {
    call: () => writesElsewhereError(db, { device: "a", repository: "small", noWrites: null }),
    rows: FEW,
  },
  replicaElsewhereError: {
    call: () => replicaElsewhereError(db, { device: "a", repository: "small", coming: false }),
    rows: FEW,
  },
  devicesWith: { call: () => replicaElsewhereError(db, { device: "a", repository: "huge", coming: true }), rows: FEW },
  devicesThatWrite: {
    call: () => writesElsewhereError(db, { device: "a", repository: "huge", noWrites: "drains" }),
    rows: FEW,
  },
  listHeldAlone: { call: () => listHeldAlone(db, "a", ids), rows: FEW },
  listReplicas: { call: () => listReplicas(db, "a", ids), rows: FEW },
  listTickets: { call: () => listTickets(db, HUGE), rows: FEW },
  listWriteStops: { call: () => listWriteStops(db), rows: FEW },
  stopTargets: { call: () => stopTargets(db, ["huge", "small"]), rows: FEW },
  readDigest: { call: () => readDigest(db, HUGE, 5n), rows: FEW },
  readHeads: { call: () => readHeads(db, "a", ["huge", "small", "r/17"]), rows: FEW },
  readStandings: {
    call: () =>
      readStandings(
        db,
        ids.map((repositoryId) => ({ repositoryId, version: 5n, digest: "aa" })),
      ),
    rows: FEW,
  },
  recentSyncs: { call: () => recentSyncs(db, HUGE, 10), rows: FEW },
  recordFailure: {
    call: () =>
      recordFailure(db, me, SMALL, { error: "e", broken: false, fromVersion: 0n, version: 0n, durationMs: 1 }),
    rows: FEW,
  },
  recordVersion: {
    call: () =>
      recordVersion(db, me, SMALL, 0n, { fromDevice: "b", fromVersion: 0n, bytes: 1, refsChanged: 1, durationMs: 1 }),
    rows: FEW,
  },
  recordRoot: { call: () => recordRoot(db, me, { path: "/srv/git", mount: "/", place: "1 2" }), rows: FEW },
  recordedRoot: { call: () => recordedRoot(db, "a"), rows: FEW },
  assertHeld: { call: () => assertHeld(db, "a", HUGE), rows: FEW },
  recordedVersion: { call: () => recordedVersion(db, "a", HUGE), rows: FEW },
  releaseLease: { call: () => releaseLease(db, { ...me, fence: 0n }), rows: FEW },
  renewLease: { call: () => renewLease(db, me, HERE), rows: FEW },
  replicaName: { call: () => replicaName(db, "a", HUGE), rows: FEW },
  replicasOf: { call: () => replicasOf(db, HUGE), rows: FEW },
  reviseVersions: { call: () => reviseVersions(db, me, [{ repositoryId: SMALL, version: 0n }]), rows: FEW },
  sessionEnds: { call: () => sessionEnds(db, [WRITE]), rows: FEW },
  setUpdateLimit: { call: () => setUpdateLimit(db, "small", 1_000), rows: FEW },
  setRepository: { call: () => setRepository(db, "small", { minCopies: 1, landWithFewer: null }), rows: FEW },
  confirmReads: { call: () => confirmReads(db, me, HERE), rows: FEW },
  settleWrite: {
    call: () => settleWrite(db, me, { writeId: randomUUID(), repositoryId: SMALL, author: "ada" }, "r").catch(() => {}),
    rows: FEW,
  },
  readTurns: { call: () => readTurns(db, [WRITE]), rows: FEW },
  renewTickets: { call: () => renewTickets(db, me, [WRITE]), rows: FEW },
  takeTurn: { call: () => takeTurn(db, me, ticket()), rows: FEW },
  turnHolder: { call: () => turnHolder(db, HUGE), rows: FEW },
  listUnknown: { call: () => listUnknown(db, 100), rows: FEW },
  recordScrub: {
    call: () => recordScrub(db, me, HUGE, { differences: 0, damage: [], failure: null }),
    rows: FEW,
  },
  // Counts the replicas of the device, every ten minutes.
  scrubPace: { call: () => scrubPace(db, "a"), rows: TIMES * REPOSITORIES },
  // The repositories of the last pushes, of which a device asks at its start.
  pushedLately: { call: () => pushedLately(db, "a", PAGE), rows: TIMES * PAGE },
  nextToScrub: { call: () => nextToScrub(db, "a", 20), rows: FEW },
  listScrubs: { call: () => listScrubs(db, 45, 100), rows: FEW },
  listUnknownOf: { call: () => listUnknownOf(db, "a", "", 100), rows: FEW },
  notReplicas: {
    call: () => notReplicas(db, "a", ["huge", ...Array.from({ length: 100 }, (_, index) => `r/${index}`)]),
    rows: TIMES * FEW,
    // It reads all repositories while it takes them for few.
    untilAnalyzed: TIMES * 2 * REPOSITORIES,
  },
  unknownNamed: { call: () => unknownNamed(db, "huge"), rows: FEW },
  readAdoption: { call: () => readAdoption(db, "a", HUGE), rows: FEW },
  noteLate: { call: () => noteLate(db, me, SMALL), rows: FEW },
  clearTakeOver: { call: () => clearTakeOver(db, me, SMALL), rows: FEW },
  allowTakeOver: { call: () => allowTakeOver(db, me, SMALL, "same"), rows: FEW },
  listLate: { call: () => listLate(db, "b"), rows: FEW },
  readDigestKey: { call: () => readDigestKey(db, HUGE), rows: FEW },
  firstVersion: { call: () => firstVersion(db, HUGE), rows: FEW },
  repositoryOf: { call: () => repositoryOf(db, HUGE), rows: FEW },
  hasOpenAdoption: { call: () => hasOpenAdoption(db, "a", "huge"), rows: FEW },
  valuesSince: { call: () => valuesSince(db, HUGE, BigInt(VERSIONS) - 3n, [[name, value]]), rows: FEW },
  // It reads the log from its end until it finds the digest.
  versionOfDigest: { call: () => versionOfDigest(db, HUGE, Buffer.from("e")), rows: TIMES * VERSIONS },
  recordUnknown: {
    call: () => recordUnknown(db, me, { after: "", last: undefined }, []),
    rows: FEW,
  },
};

/** Statements that are not tried here, with the reason. test/unit/statements.test.ts looks for each statement in this file. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  makeDeviceLogin: "a row a device, and the rights of a role",
  endDeviceLogin: "a row a device",
  deviceGroup: "reads no table",
  recordKept: "a few rows of one device",
  appendThaw: "what bump does, for an operator",
  beginSession: "one row by its key each",
  stopStagedWrites: "a row a stop",
  createRepository: "inserts",
  insertHook: "inserts, and counts a hundred hooks",
  adoptRepository: "inserts",
  giveUpSession: "one row by its key",
  landUnchanged: "one row by its key",
  stopNewWrites: "a row a stop",
  noteDropped: "inserts",
  notifyHeads: "reads no table",
  passTurn: "one row by its key",
  renewSession: "one row by its key each",
  stopRepository: "one row by its key each",
  takeOver: "one device, and its staged writes by their index",
  endWriteStops: "a row a stop",
  enqueueCommand: "inserts, and one row by its key",
  notifyCommands: "reads no table",
  releaseReplica: "one row by its key each",
  destroyReplica: "one row by its key",
  renameRepository: "a row a device, for an operator",
  recordPlace: "one row by its key",
  removeRepository: "a row a device, and the open writes of the repository by their index",
  restoreRepository: "a row a device, for an operator",
  forgetPlaces: "one row by its key",
  placeReplicas: "what want_replicas does, a page of repositories",
  drainDevice: "goes through the repositories, for an operator",
  undrainDevice: "one row by its key",
  removeDevice: "goes through the replicas of one device, for an operator",
  setDeviceWrites: "one row by its key",
  readRegistry: "the names that may connect, some thousands at most",
  listIdentities: "the names that may connect",
  listRefusedKeys: "the names that may connect, and two hundred keys that wait",
  trustKey: "the keys of one name",
  revokeKey: "the keys of one name, and the staged writes",
  insertToken: "inserts",
  enrollKey: "the keys of one name, and two hundred that wait",
  recordSeen: "rows by their keys",
  insertAudit: "inserts",
  findHolding: "two rows by their keys",
  mayWrite: "two rows by their keys, and the staged writes of a repository",
  listAudit: "a page of rows by their numbers",
  verifyAudit: "reads the whole audit, for an operator, a page at a time",
};

interface Asked {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** The statements that `call` sends, each answered as always. */
async function statementsOf(call: () => Promise<unknown>): Promise<Asked[]> {
  const asked: Asked[] = [];
  const connects = [db.reads, db.work, db.lease].map((pool) => [pool, pool.connect] as const);
  for (const [pool, connect] of connects) {
    pool.connect = (async () => {
      const client = (await (connect as () => Promise<unknown>).call(pool)) as unknown as pg.PoolClient;
      const noted = (text: string, values: readonly unknown[] = []) => {
        if (!/^(begin|commit|fetch|close)/.test(text)) asked.push({ text, values });
      };
      return new Proxy(client, {
        get(target, key) {
          const method: unknown = Reflect.get(target, key);
          if (typeof method !== "function") return method;
          if (key !== "run" && key !== "query") return method.bind(target);
          return (...args: [string, unknown[]]) => {
            noted(...args);
            if (args[0].includes("lockstep.bump")) return Promise.reject(new Error("not run"));
            return method.apply(target, args);
          };
        },
      });
    }) as never;
  }
  try {
    await call();
  } finally {
    for (const [pool, connect] of connects) pool.connect = connect;
  }
  return asked;
}

interface Node {
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly "Rows Removed by Join Filter"?: number;
  readonly Plans?: readonly Node[];
}

/** Rows that all nodes of a plan worked on: a join of everything with everything shows here, whatever it reads. */
function work(node: Node): number {
  const { "Rows Removed by Filter": filtered = 0, "Rows Removed by Join Filter": joined = 0, Plans = [] } = node;
  const own = (node["Actual Rows"] + filtered + joined) * node["Actual Loops"];
  return Plans.reduce((sum, each) => sum + work(each), own);
}

/** Runs a statement once more, and takes it back. Also what the functions that it calls read. */
async function rowsTouched(client: pg.Client, { text, values }: Asked): Promise<number> {
  await client.query(`begin; set local statement_timeout = '${GUARD}'`);
  try {
    const count = `select coalesce(sum(seq_tup_read), 0) + coalesce(sum(idx_tup_fetch), 0) as touched from pg_stat_xact_user_tables`;
    const before = await client.query<{ touched: string }>(count);
    const { rows } = await client.query<{ "QUERY PLAN": [{ Plan: Node }] }>(
      `explain (analyze, timing off, format json) ${text}`,
      values as unknown[],
    );
    const after = await client.query<{ touched: string }>(count);
    const read = Number(after.rows[0]?.touched) - Number(before.rows[0]?.touched);
    return Math.max(read, work((rows[0] as { "QUERY PLAN": [{ Plan: Node }] })["QUERY PLAN"][0].Plan));
  } finally {
    await client.query("rollback");
  }
}

/** What takes long to read is read once, and looked at each time. */
const large = new Map<string, Asked[]>();

describe.each(["without statistics", "with statistics and little memory"])("%s", (when) => {
  beforeAll(async () => {
    if (when !== "without statistics") await administer(database.url, (client) => client.query("vacuum analyze"));
  }, 300_000);

  it.each(Object.keys(STATEMENTS))(
    "%s touches no more rows than it must",
    async (each) => {
      const { call, rows: analyzed, untilAnalyzed } = STATEMENTS[each] as (typeof STATEMENTS)[string];
      const rows = (when === "without statistics" && untilAnalyzed) || analyzed;
      const asked = large.get(each) ?? (await statementsOf(call));
      if (rows >= REFS) large.set(each, asked);
      expect(asked.length).toBeGreaterThan(0);
      await administer(database.url, async (client) => {
        if (when !== "without statistics") await client.query("set work_mem = '64kB'");
        let touched = 0;
        for (const statement of asked) touched += await rowsTouched(client, statement);
        expect(touched).toBeLessThanOrEqual(rows);
      });
    },
    300_000,
  );
});

it("a plan that joins everything with everything would be noticed", async () => {
  const text = `select count(*) from (select name from lockstep.repository_ref limit 2000) f
    where f.name not in (select u.name from lockstep.ref_log_update u where u.version > $1 limit 20000)`;
  const touched = await administer(database.url, async (client) => {
    await client.query("set work_mem = '64kB'");
    return await rowsTouched(client, { text, values: [0] });
  });
  expect(touched).toBeGreaterThan(1_000_000);
});

it.each(Object.entries(ELSEWHERE))("%s is not tried here: %s", (statement) => {
  expect(STATEMENTS).not.toHaveProperty(statement);
});

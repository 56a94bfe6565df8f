// The statements of the store about the log, writes, watchers and retention, at size.
import { randomUUID } from "node:crypto";
import type { RefValue } from "../../src/domain.ts";
import { firstVersion, readDigestKey, valuesSince, versionOfDigest } from "../../src/store/log/digests.ts";
import { readFold } from "../../src/store/log/fold.ts";
import { readLog, readWriters } from "../../src/store/log/list-log.ts";
import { readStandings } from "../../src/store/log/log-standing.ts";
import { readLoggedVersion } from "../../src/store/log/logged-version.ts";
import { pushedLately } from "../../src/store/log/pushed-lately.ts";
import { readChanges, readDigest, readSettlements } from "../../src/store/log/ref-log.ts";
import { readUnchangedTips } from "../../src/store/log/unchanged-tips.ts";
import { unloggedIds } from "../../src/store/log/unlogged-ids.ts";
import { readKeeps, setKeep, setKeepLog } from "../../src/store/retention/keep-times.ts";
import { listKept } from "../../src/store/retention/kept-space.ts";
import {
  claimTrim,
  trimAudit,
  trimCommands,
  trimEvents,
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
import { confirmReads } from "../../src/store/write/confirm-reads.ts";
import { currentWriter, getWrite, listStaged } from "../../src/store/write/find-write.ts";
import { landTogether } from "../../src/store/write/land-together.ts";
import { refsInTheWay } from "../../src/store/write/refs-in-the-way.ts";
import { dropExpiredSessions, findSession, sessionEnds } from "../../src/store/write/sessions.ts";
import { leaveTurn, listTickets, readTurns, renewTickets, takeTurn, turnHolder } from "../../src/store/write/turns.ts";
import { listWriteStops, stopTargets } from "../../src/store/write/write-stops.ts";
import { landWrite, settleWrite, stageWrite } from "../../src/store/write/writes.ts";
import { db } from "./file-database.ts";
import {
  FEW,
  HUGE,
  me,
  PAGE,
  REFS,
  REPOSITORIES,
  SMALL,
  type StatementAtSize,
  TIMES,
  VERSIONS,
  WRITE,
} from "./huge-database.ts";
import { ref } from "./refs.ts";
import { HERE } from "./store-rows.ts";

const ticket = () => ({ repositoryId: SMALL, writeId: randomUUID(), author: "ada", reason: "push" });
const name = ref("refs/heads/17");
const write = () => ({ writeId: randomUUID(), repositoryId: HUGE, base: BigInt(VERSIONS), author: "ada" });
const value = "b".repeat(40) as unknown as RefValue;
const names = Array.from({ length: 500 }, (_, index) => ref(`refs/heads/${index * 7}`));
const ids = [HUGE, SMALL];

/** Each statement, and how many rows of the huge database it may touch. */
export const STATEMENTS_OF_WRITES: Readonly<Record<string, StatementAtSize>> = {
  readFold: { call: () => readFold(db, HUGE), rows: TIMES * REFS },
  readChanges: { call: () => readChanges(db, HUGE, 0n), rows: TIMES * 8 * VERSIONS },
  // With a created ref among the changes, it reads what readUnchangedTips does.
  "readChanges, a little behind": {
    call: () => readChanges(db, HUGE, BigInt(VERSIONS) - 3n),
    rows: 2_500,
    untilAnalyzed: TIMES * REFS,
  },
  readUnchangedTips: { call: () => readUnchangedTips(db, HUGE, BigInt(VERSIONS) - 20n, 256), rows: TIMES * REFS },
  "readUnchangedTips, far behind": { call: () => readUnchangedTips(db, HUGE, 0n, 256), rows: TIMES * REFS },
  // The value that the newest changes have, as a device that follows the log asks.
  unloggedIds: { call: () => unloggedIds(db, HUGE, ["a".repeat(40)]), rows: 4_000 },
  "unloggedIds, no value of the log": {
    call: () => unloggedIds(db, HUGE, ["b".repeat(40), "c".repeat(64)]),
    rows: TIMES * (REFS + 5 * VERSIONS),
  },
  readLog: { call: () => readLog(db, HUGE, null, 20), rows: 2_000 },
  readLoggedVersion: { call: () => readLoggedVersion(db, HUGE, 5n), rows: FEW },
  readSettlements: { call: () => readSettlements(db, HUGE, 0n), rows: FEW },
  readDigest: { call: () => readDigest(db, HUGE, 5n), rows: FEW },
  readStandings: {
    call: () =>
      readStandings(
        db,
        ids.map((repositoryId) => ({ repositoryId, version: 5n, digest: "aa" })),
      ),
    rows: FEW,
  },
  // The repositories of the last pushes, of which a device asks at its start.
  pushedLately: { call: () => pushedLately(db, "a", PAGE), rows: TIMES * PAGE },
  readDigestKey: { call: () => readDigestKey(db, HUGE), rows: FEW },
  firstVersion: { call: () => firstVersion(db, HUGE), rows: FEW },
  valuesSince: { call: () => valuesSince(db, HUGE, BigInt(VERSIONS) - 3n, [[name, value]]), rows: FEW },
  // It reads the log from its end until it finds the digest.
  versionOfDigest: { call: () => versionOfDigest(db, HUGE, Buffer.from("e")), rows: TIMES * VERSIONS },
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
      return await landWrite(db, me, { ...request, difference: Buffer.alloc(32), updates }).catch(() => {});
    },
    rows: FEW,
  },
  "landWrite, not staged": {
    call: async () => {
      const updates = [{ name, oldValue: "a".repeat(40) as unknown as RefValue, newValue: value }];
      const request = { ...write(), difference: Buffer.alloc(32), updates, atOnceBy: "ada" };
      return await landWrite(db, me, request).catch(() => {});
    },
    rows: FEW,
  },
  "landWrite, over versions between": {
    call: async () => {
      const base = { base: BigInt(VERSIONS) - 3n, baseDigest: Buffer.from("d") };
      const request = { ...write(), ...base, names: [name] };
      await stageWrite(db, me, request);
      const made = { name: ref("refs/heads/new/one"), oldValue: null, newValue: value };
      const updates = [{ name, oldValue: "a".repeat(40) as unknown as RefValue, newValue: null }, made];
      return await landWrite(db, me, { ...request, difference: Buffer.alloc(32), updates }).catch(() => {});
    },
    rows: FEW,
  },
  "landTogether, over versions between": {
    call: async () => {
      const writes = ["new/one", "new/two", "newer/three"].map((each) => ({
        ...{ ...write(), difference: Buffer.alloc(32) },
        updates: [{ name: ref(`refs/heads/${each}`), oldValue: null, newValue: value }],
      }));
      const base = { base: BigInt(VERSIONS) - 3n, baseDigest: Buffer.from("d") };
      return await landTogether(db, me, { repositoryId: HUGE, ...base, writes }).catch(() => {});
    },
    rows: FEW,
  },
  readWriters: { call: () => readWriters(db, HUGE, BigInt(VERSIONS) - 3n), rows: FEW },
  refsInTheWay: {
    call: () => refsInTheWay(db, HUGE, { above: names, below: names.map((each) => ({ name: each, most: 1 })) }),
    rows: TIMES * 3 * names.length,
  },
  currentWriter: { call: () => currentWriter(db, HUGE), rows: FEW },
  dropExpiredSessions: { call: () => dropExpiredSessions(db), rows: FEW },
  findSession: { call: () => findSession(db, "huge", { writeId: WRITE }).catch(() => {}), rows: FEW },
  getWrite: { call: () => getWrite(db, "small", WRITE), rows: FEW },
  leaveTurn: { call: () => leaveTurn(db, WRITE), rows: FEW },
  listTickets: { call: () => listTickets(db, HUGE), rows: FEW },
  listWriteStops: { call: () => listWriteStops(db), rows: FEW },
  stopTargets: { call: () => stopTargets(db, ["huge", "small"]), rows: FEW },
  sessionEnds: { call: () => sessionEnds(db, [WRITE]), rows: FEW },
  confirmReads: { call: () => confirmReads(db, me, HERE), rows: FEW },
  settleWrite: {
    call: () => settleWrite(db, me, { writeId: randomUUID(), repositoryId: SMALL, author: "ada" }, "r").catch(() => {}),
    rows: FEW,
  },
  readTurns: { call: () => readTurns(db, [WRITE]), rows: FEW },
  renewTickets: { call: () => renewTickets(db, me, [WRITE]), rows: FEW },
  takeTurn: { call: () => takeTurn(db, me, ticket()), rows: FEW },
  turnHolder: { call: () => turnHolder(db, HUGE), rows: FEW },
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
  claimTrim: { call: () => claimTrim(db, HUGE, { versions: 10n, days: 0 }, 500), rows: TIMES * 500 },
  "claimTrim, nothing is due": { call: () => claimTrim(db, null, { versions: 10n, days: 0 }, 500), rows: FEW },
  trimLog: { call: () => trimLog(db, HUGE, 100), rows: 2 * TIMES * 600 },
  trimWrites: { call: () => trimWrites(db, 30, 100), rows: 2 * TIMES * 100 },
  trimCommands: { call: () => trimCommands(db, 30, 100), rows: FEW },
  trimAudit: { call: () => trimAudit(db, 30, 100), rows: 2 * TIMES * 100 },
  trimSyncs: { call: () => trimSyncs(db, 30, 100), rows: 2 * TIMES * 100 },
  trimEvents: { call: () => trimEvents(db, "push_event", 1, 100), rows: 2 * TIMES * 100 },
  "trimEvents, pulls": { call: () => trimEvents(db, "pull_event", 1, 100), rows: 2 * TIMES * 100 },
  readKeeps: { call: () => readKeeps(db), rows: FEW },
  setKeep: { call: () => setKeep(db, "log", "10000,90d", "olga"), rows: FEW },
  setKeepLog: { call: () => setKeepLog(db, "small", null), rows: FEW },
  listKept: { call: () => listKept(db), rows: 5_000 },
  trimFormerNames: { call: () => trimFormerNames(db, 100), rows: FEW },
};

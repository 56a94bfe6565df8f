// The statements of the store about repositories, replicas, devices and commands, at size.
import { randomUUID } from "node:crypto";
import { NO_WAITS, type PullEvent, type PushEvent } from "../../src/activity/activity.ts";
import { listPulls, listPushes, listSyncs } from "../../src/store/activity/list-events.ts";
import { insertPulls, insertPushes } from "../../src/store/activity/write-events.ts";
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
import { leaseHasEnded, releaseLease, renewLease } from "../../src/store/device/device-lease.ts";
import { recordedRoot, recordRoot } from "../../src/store/device/device-root.ts";
import { findDevice, listDevices, readRemainder } from "../../src/store/device/devices.ts";
import { readClusterFigures } from "../../src/store/operator/cluster-figures.ts";
import { listStatus } from "../../src/store/operator/status.ts";
import { readStatusPart } from "../../src/store/operator/status-parts.ts";
import { listAwayWith, listDemotable, listPromotable } from "../../src/store/operator/thawable.ts";
import { listHeldAlone } from "../../src/store/replica/hand-over.ts";
import {
  countPlaces,
  devicesThatWrite,
  isUnplaced,
  replicaElsewhereError,
  writesElsewhereError,
} from "../../src/store/replica/placement.ts";
import { lastSync, recordFailure, recordVersion, reviseVersions } from "../../src/store/replica/record-replica.ts";
import {
  assertHeld,
  listActive,
  listReplicas,
  listReplicasAfter,
  readRecord,
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
} from "../../src/store/repository/removals.ts";
import {
  findRepository,
  isRepository,
  listRepositories,
  setRepository,
  setUpdateLimit,
} from "../../src/store/repository/repositories.ts";
import { db } from "./file-database.ts";
import { FEW, HUGE, me, PAGE, REPOSITORIES, SMALL, type StatementAtSize, TIMES, WRITE } from "./huge-database.ts";
import { HERE } from "./store-rows.ts";

const ids = [HUGE, SMALL];
const search = (everything: boolean) => ({
  everything,
  positions: [0n, 20n] as const,
  page: { after: FIRST_REPOSITORY, size: PAGE },
  room: 400,
});

const EVENTS = {
  ...{ repository: null, device: null, since: new Date(0), until: null, author: null, result: null, ref: null },
  limit: 20,
};
const CLIENT = { author: "ada", address: null, way: "http", requestId: null } as const;
const EVENT = { endedAt: 0, client: CLIENT, repository: "huge", repositoryId: null, version: null } as const;
const PUSH: PushEvent = {
  ...{ ...EVENT, result: "refused", code: null, reason: null, refs: [], refsTotal: 0, durationMs: 1, waits: NO_WAITS },
};
const PULL: PullEvent = {
  ...{ ...EVENT, what: "read", result: "refused", code: null, reason: null, waitMs: 1, durationMs: 1 },
};

/** Each statement, and how many rows of the huge database it may touch. */
export const STATEMENTS_OF_REPLICAS: Readonly<Record<string, StatementAtSize>> = {
  listRepositories: { call: () => listRepositories(db, "r/2", 100), rows: FEW },
  missingRepositoryError: { call: () => missingRepositoryError(db, "nobody"), rows: FEW },
  placeOf: { call: () => placeOf(db, "a", HUGE), rows: FEW },
  listMoving: { call: () => listMoving(db, "a"), rows: FEW },
  movingFrom: { call: () => movingFrom(db, "a", "huge"), rows: FEW },
  listRemoved: { call: () => listRemoved(db, 10), rows: FEW },
  newestRemoval: { call: () => newestRemoval(db, "nobody"), rows: FEW },
  removalOf: { call: () => removalOf(db, HUGE), rows: FEW },
  possiblePlaces: { call: () => possiblePlaces(db, "a", HUGE), rows: FEW },
  purgeRemoved: { call: () => purgeRemoved(db, 100), rows: FEW },
  isRepository: { call: () => isRepository(db, "huge"), rows: FEW },
  findRepository: { call: () => findRepository(db, "huge"), rows: FEW },
  readHeads: { call: () => readHeads(db, "a", ["huge", "small", "r/17"]), rows: FEW },
  setUpdateLimit: { call: () => setUpdateLimit(db, "small", 1_000), rows: FEW },
  setRepository: { call: () => setRepository(db, "small", { minCopies: 1, landWithFewer: null }), rows: FEW },
  listActive: { call: () => listActive(db, "a", ids), rows: FEW },
  replicaWasHere: { call: () => replicaWasHere(db, "a", HUGE), rows: FEW },
  listReplicasAfter: { call: () => listReplicasAfter(db, "a", "r/2", 100), rows: TIMES * REPOSITORIES },
  lastSync: { call: () => lastSync(db, "a", HUGE), rows: FEW },
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
  listHeldAlone: { call: () => listHeldAlone(db, "a", ids), rows: FEW },
  listReplicas: { call: () => listReplicas(db, "a", ids), rows: FEW },
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
  assertHeld: { call: () => assertHeld(db, "a", HUGE), rows: FEW },
  readRecord: { call: () => readRecord(db, "a", HUGE), rows: FEW },
  replicaName: { call: () => replicaName(db, "a", HUGE), rows: FEW },
  replicasOf: { call: () => replicasOf(db, HUGE), rows: FEW },
  reviseVersions: { call: () => reviseVersions(db, me, [{ repositoryId: SMALL, version: 0n }]), rows: FEW },
  recordScrub: {
    call: () => recordScrub(db, me, HUGE, { differences: 0, damage: [], failure: null }),
    rows: FEW,
  },
  // Counts the replicas of the device, every ten minutes.
  scrubPace: { call: () => scrubPace(db, "a"), rows: TIMES * REPOSITORIES },
  nextToScrub: { call: () => nextToScrub(db, "a", 20), rows: FEW },
  listScrubs: { call: () => listScrubs(db, 45, 100), rows: FEW },
  leaseHasEnded: { call: () => leaseHasEnded(db, "a"), rows: FEW },
  // One row for each open command of the devices.
  listDevices: { call: () => listDevices(db), rows: TIMES * REPOSITORIES },
  // For an operator: all replicas of one device.
  findDevice: { call: () => findDevice(db, "a"), rows: TIMES * REPOSITORIES },
  readRemainder: { call: () => readRemainder(db, "a", 100), rows: 2 * TIMES * REPOSITORIES + FEW },
  recordRoot: { call: () => recordRoot(db, me, { path: "/srv/git", mount: "/", place: "1 2" }), rows: FEW },
  recordedRoot: { call: () => recordedRoot(db, "a"), rows: FEW },
  releaseLease: { call: () => releaseLease(db, { ...me, fence: 0n }), rows: FEW },
  renewLease: { call: () => renewLease(db, me, HERE, { freeBytes: 1, sizeBytes: 2 }), rows: FEW },
  enqueueRepairs: {
    call: () => enqueueRepairs(db, me, search(false)),
    rows: TIMES * 4 * PAGE,
    // It takes the replicas of a device for so few that it sorts all of them.
    untilAnalyzed: TIMES * REPOSITORIES,
  },
  "enqueueRepairs, everything": { call: () => enqueueRepairs(db, me, search(true)), rows: 2 * TIMES * REPOSITORIES },
  // One row for each open command of the device.
  queueDepth: { call: () => queueDepth(db, "c"), rows: TIMES * REPOSITORIES },
  commandedReplica: { call: () => commandedReplica(db, "a", HUGE), rows: FEW },
  endCommand: { call: () => endCommand(db, me, WRITE, { state: "done" }), rows: FEW },
  findCommand: { call: () => findCommand(db, WRITE), rows: FEW },
  listCommands: { call: () => listCommands(db, { limit: 20 }), rows: FEW },
  "listCommands of a repository": { call: () => listCommands(db, { repository: "huge", limit: 20 }), rows: FEW },
  "startCommand, none is due": { call: () => startCommand(db, me, "first", randomUUID()), rows: FEW },
  startCommand: { call: () => startCommand(db, me, "heavy", randomUUID()), rows: FEW },
  listUnknown: { call: () => listUnknown(db, 100), rows: FEW },
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
  repositoryOf: { call: () => repositoryOf(db, HUGE), rows: FEW },
  hasOpenAdoption: { call: () => hasOpenAdoption(db, "a", "huge"), rows: FEW },
  recordUnknown: {
    call: () => recordUnknown(db, me, { after: "", last: undefined }, []),
    rows: FEW,
  },
  devicesThatWrite: { call: () => devicesThatWrite(db, "huge"), rows: FEW },
  countPlaces: { call: () => countPlaces(db, HUGE), rows: FEW },
  readStatusPart: { call: () => readStatusPart(db, { after: "r/2", look: 51, limit: 51 }), rows: 51 * 40 },
  "readStatusPart, a search": {
    call: () => readStatusPart(db, { after: "", look: 5_000, contains: "R/29", limit: 51 }),
    rows: 5_000 * 15,
  },
  "readStatusPart of those not at rest": {
    call: () => readStatusPart(db, { after: "", look: 2_000, limit: 2_000, restless: true }),
    rows: 2_000 * 50,
  },
  listPushes: { call: () => listPushes(db, EVENTS), rows: FEW },
  "listPushes of a repository": { call: () => listPushes(db, { ...EVENTS, repository: "huge" }), rows: FEW },
  listPulls: { call: () => listPulls(db, EVENTS), rows: FEW },
  "listPulls of a repository": { call: () => listPulls(db, { ...EVENTS, repository: "huge" }), rows: FEW },
  listSyncs: { call: () => listSyncs(db, EVENTS), rows: FEW },
  "listSyncs of a repository": { call: () => listSyncs(db, { ...EVENTS, repository: "huge" }), rows: FEW },
  insertPushes: { call: () => insertPushes(db, "a", [PUSH]), rows: FEW },
  insertPulls: { call: () => insertPulls(db, "a", [{ pull: PULL, standsFor: 1 }]), rows: FEW },
  listStatus: { call: () => listStatus(db, 1_000), rows: TIMES * 10 * REPOSITORIES },
  // Each replica a few times, however many of them are behind.
  readClusterFigures: { call: () => readClusterFigures(db), rows: 2 * TIMES * 5 * REPOSITORIES },
  listDemotable: { call: () => listDemotable(db, ["a"]), rows: 5 * TIMES * REPOSITORIES },
  listPromotable: { call: () => listPromotable(db, "a"), rows: TIMES * REPOSITORIES },
  listAwayWith: { call: () => listAwayWith(db, ["huge", "small"]), rows: FEW },
};

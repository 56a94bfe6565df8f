// The times for which a running sidecar waits: until something counts as dead, and until it looks again. This table has
// the waits that a test may have to sit out. Tests shorten all of them by one factor, so their proportions stay
// (test/unit/waits.test.ts). A constant stays beside the code that uses it in three cases:
// - It is no wait, such as the length of a day.
// - No test sits it out: it is very short or very long.
// - A caller passes it as a parameter.
// Code reads a wait where it uses it, not when its module loads: tests shorten the waits later.

const TABLE = {
  // PostgreSQL.
  /** A connection to a server that takes longer to open is given up. */
  connectMs: 5_000,
  /** After this time the outcome of a statement counts as unknown. The server ends it then too, except a decision. */
  statementMs: 15_000,
  /** The pause before the connection for notifications is opened again. */
  reconnectMs: 2_000,
  /** The pause before the database is asked again for the outcome of a decision. */
  askOutcomeAgainMs: 500,

  // Leases, turns and sessions.
  /** A device whose sidecar has not renewed its lease for this long is gone: another incarnation may take over. */
  leaseMs: 15_000,
  /** The lease is renewed this often. Two renewals may fail. */
  leaseRenewalMs: 5_000,
  /** The pause after a renewal that failed. Devices with an ended lease are not asked for objects. */
  leaseRetryMs: 500,
  /** A read waits this long for a renewal that is under way. */
  leaseProofMs: 2_000,
  /** A ticket in the queue of a repository, and a session, end this long after their last renewal. */
  turnMs: 12_000,
  /** Tickets are renewed this often. Two renewals may fail. */
  turnRenewalMs: 4_000,
  /** A session is renewed this often by its command, and by the sidecar while it works for it. */
  sessionRenewalMs: 5_000,
  /** Sidecars look this often for sessions that have ended. */
  sessionLookMs: 5_000,
  /** A pusher that waits for its turn is told after this time who has it. */
  turnNoticeMs: 1_000,
  /** A push waits this long for its turn. */
  pushTurnMs: 30_000,

  // The log of changes.
  /** Without notifications, new versions are found by looking this often. The pause varies by a fifth. */
  logPollMs: 2_000,
  /** The pause after the database has failed. */
  logRetryMs: 1_000,
  /** A watcher without events is told its cursor this often. A stream that is silent for longer may be cut. */
  watchCheckpointMs: 30_000,
  /** The pause before a watcher asks a database that has failed again. */
  watchRetryMs: 1_000,

  // Gits that hang.
  /** A git that shows no work for this long is given up. Some steps of git are long and silent. */
  gitSilentMs: 30_000,
  /** A git that has begun to send, and a peer that takes nothing of it, are given up after this time. */
  gitStallMs: 10_000,
  /** A git that somebody has stopped with a signal is ended after this time. It cannot do anything. */
  gitStoppedMs: 10_000,
  /** A git that waits for a disk is ended after this time. One sync of a large pack shows nothing until it ends. */
  gitDiskMs: 180_000,
  /** A killed git that lives on for this long waits for a disk, and its replica serves nobody. */
  gitKilledMs: 10_000,
  /** Gits that somebody waits for are looked at this often. A look costs some milliseconds. */
  gitLookMs: 2_000,
  /** The git that writes the refs of a replica stays this long after a transaction, since another one may follow. */
  keptGitMs: 1_000,
  /** In its last steps `git fetch` needs no network. If it is silent for this long in those steps, it hangs. */
  fetchLastStepsMs: 180_000,
  /** A git of a client that is gone gets SIGTERM this long after the end of its input. */
  gitTermMs: 3_000,
  /** It gets SIGKILL this long after SIGTERM. */
  gitKillMs: 5_000,

  // Devices that send objects to each other.
  /** A peer that sends nothing of its request for this long is hung up on. */
  requestStallMs: 10_000,
  /** A git that serves stock git, or a peer over ssh, is given up after this silence: it may send no progress. */
  uploadSilentMs: 120_000,
  /** If no source shows work for this long, another one is asked too. */
  sourceHedgeMs: 3_000,
  /** A source that showed no work is asked last for this long. */
  slowSourceMs: 60_000,
  /** A peer that another device has sent here waits this long until the objects have come here. */
  packHoldMs: 60_000,
  /** A device whose work on a copy shows nothing new for this long is given up. */
  copySilentMs: 20_000,
  /** If no copy is made for this long, another device is asked too. */
  copyHedgeMs: 3_000,
  /** A device that is to hold a copy has this time to come to the head. Steps that wait for devices have less. */
  copyCatchUpMs: 60_000,

  // Catch-ups and those who wait for them.
  /** A catch-up in which nothing moves for this long is given up. Its steps that wait for devices have less. */
  motionlessMs: 180_000,
  /** The pause after a catch-up that failed, and the pause to which it grows. */
  catchUpBackOffMs: 250,
  catchUpBackOffLimitMs: 10_000,
  /** The pause before a comparison that failed is repeated. */
  compareAgainMs: 5_000,
  /** A read waits this long for the first copy of a repository. A large one takes hours, and other devices have it. */
  firstCopyMs: 10_000,
  /** A hook that asks before a read waits this long. */
  hookReadMs: 60_000,
  /** A push that landed over versions which its device lacks waits this long for them, and is told nothing then. */
  landedHereMs: 60_000,
  /** A push waits this long for its replica: longer than a read, since the pusher has uploaded already. */
  pushReadMs: 120_000,

  // Work in the background.
  /** A command of the queue whose notification was lost, or that has rested, is found after this time. */
  commandPollMs: 5_000,
  /** A command rests this long after a temporary error, and twice as long after each further one. */
  commandRestMs: 1_000,
  /** The pause before the queue asks a database that has failed again. */
  commandDatabaseMs: 1_000,
  /** Replicas that need a repair are looked for this often. */
  repairMs: 5_000,
  /** The same while more is found than the queue takes. */
  repairBusyMs: 1_000,
  /** Repositories that this device is to have or to give up are looked for this often. */
  placeReplicasMs: 5_000,
  /** One replica is looked through this often for files that are no refs. */
  patrolMs: 1_000,
  /** Replicas that need a gc or a scrub are looked for this often. */
  upkeepMs: 5_000,
  /** A gc that failed, or that a busy replica needs again, is not ordered sooner. */
  gcAgainMs: 60_000,
  /** The log, the refs and the files that are past their retention are looked for this often. */
  trimMs: 15_000,
  /** The push log and the pull log are written this often. */
  eventsMs: 1_000,
  /** One replica is tidied at a time. A slow one delays the others for this long. */
  tidyAloneMs: 5_000,
  /** A small root is scanned this often. */
  scanMs: 5_000,
  /** Webhooks that no device delivers to, and those that were removed, are looked for this often. */
  hookClaimMs: 2_000,
  /** The pause before a delivery asks a database that has failed again. */
  hookRetryMs: 1_000,
  /** The pause after a failed delivery. It doubles up to the limit, and varies by half. */
  hookBackOffMs: 500,
  hookBackOffLimitMs: 60_000,
  /** A receiver has this time from the connection to the end of its answer. */
  hookDeliveryMs: 10_000,

  // Keys, operators, the end.
  /** Without notifications, a change of the registry is seen after this time. */
  registryLookMs: 5_000,
  /** If the registry could not be read for this long, nobody new is let in. */
  registryStaleMs: 60_000,
  /** A device that nobody trusts yet looks this often whether it is trusted. */
  enrollLookMs: 1_000,
  /** The other devices hear of a new key within this time. */
  keySpreadMs: 1_000,
  /** The files of the device's key and certificate are looked at this often. */
  credentialsLookMs: 500,
  /** New files that do not fit are told after this time. Key and certificate are rarely replaced in one step. */
  credentialsSettleMs: 2_000,
  /** A sidecar that starts waits this long for the lock of its root, while programs of a killed sidecar end. */
  rootLockMs: 5_000,
  /** The creation of a repository waits this long for the replicas of live devices. */
  createMs: 10_000,
  /** If a device does not say in this time whether a name is free there, its last scan counts. */
  occupiedMs: 2_000,
  /** A rename, a removal and a restore wait this long for the parts of live devices. */
  partsMs: 60_000,

  // Clients.
  /** A client of the gate that sends the head of its request more slowly is cut off. */
  gateHeadMs: 30_000,
  /** A client of the plain HTTP port that sends its request more slowly is cut off. */
  httpRequestMs: 10_000,

  // The end.
  /** After a stop signal, calls and pushes have this time, then what other devices still fetch. */
  stopGraceMs: 10_000,
};

/** The waits of this process. */
export const WAITS: Readonly<Record<keyof typeof TABLE, number>> = { ...TABLE };

/**
 * Multiplies all waits of this process by `factor`, above 0 and at most 1. Only for tests. Fractions of a millisecond
 * are cut off: a wait that is at least three times another one stays that.
 */
export function shortenWaits(factor: number): void {
  if (!(factor > 0 && factor <= 1)) throw new RangeError(`waits cannot be multiplied by ${factor}`);
  const waits: Record<string, number> = WAITS;
  for (const [name, ms] of Object.entries(TABLE)) waits[name] = Math.floor(ms * factor);
}

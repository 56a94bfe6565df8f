// The test files that `.ci/run` leaves out in some of its ten parts (deep.mjs). Files that are in no list run in every
// part: they show that no acknowledged push is lost and that no read is older than one.
//
// Each list has groups of files. Of a list with five groups, the first runs in parts 0 and 5, the second in parts 1 and
// 6, and so on. All groups of a list take about as long: a new file goes into the group that takes the least.
const PARTS = 10;

/**
 * Features and limits: what is printed, how a sidecar is deployed, who may come in, what hangs, what is refused, and
 * how many rows a statement reads at size. Then long files of what operators seldom do, and deaths at the crash points
 * of all that is neither a push nor a session. Each file runs in one of the ten parts.
 */
export const FEATURES = groups([
  `e2e/alias-with-target e2e/client e2e/crash-points-remove e2e/gitolite e2e/local-user e2e/occupied-place
   e2e/pooler-logins e2e/registry e2e/retention e2e/tls integration/device-logins-cluster integration/gate-cache
   integration/make-way integration/malicious-hooks integration/peers integration/read-pages integration/shared-packs
   integration/status-page-viewers`,
  `e2e/anonymous-pusher e2e/by-hand e2e/certificates e2e/cluster-service e2e/crash-points-gc e2e/empty-root
   e2e/move-in e2e/observability e2e/ref-names e2e/remove e2e/watched-gate e2e/web-pages integration/ca-command
   integration/database-url integration/hook-addresses integration/stalled-peers integration/test-database`,
  `e2e/completion e2e/crash-points-hooks e2e/crash-points-undo e2e/demo e2e/http e2e/idle-connections
   e2e/kubernetes-sshd e2e/package e2e/side-effects e2e/ssh-devices e2e/sync-service e2e/systemd-units
   integration/device-logins integration/gate-limits integration/gate-memory integration/named-credential
   integration/revoked-in-transfer integration/symbolic-ref-files`,
  `e2e/bad-input-inside e2e/command e2e/crash-points-command e2e/crash-points-recovery e2e/gate-users
   e2e/kubernetes-managed e2e/lock-ends e2e/operators-settings e2e/push-processes e2e/pusher-of-many-refs
   e2e/ssh-auto e2e/sshd integration/doctor integration/peer-proxy integration/rename-names integration/shim-device
   integration/trim-log integration/uploads`,
  `e2e/audit-of-acts e2e/crash-points-rename e2e/hidden-history e2e/scrub e2e/shallow integration/copies-missing
   integration/fetchable integration/fuzz-shim integration/gate-break-off integration/gate-cache-stale
   integration/gate-client-crl integration/gate-early-git integration/hooks integration/keep-healthy
   integration/kubernetes-manifests integration/malicious-repository integration/peer-transport
   integration/registry-copy`,
  `e2e/crash-points-catch-up e2e/device-logins e2e/event-logs e2e/forced-stop e2e/hooks e2e/kubernetes e2e/prometheus
   e2e/shared-packs integration/acceptable-ref integration/certificate-matrix integration/certificate-shapes
   integration/compose-file integration/gate-second-refusal integration/remove-device integration/roll-up
   integration/scrub integration/shim-foreign-sidecar integration/ssh-keys integration/trim-disk`,
  `e2e/adopt e2e/database-connections e2e/grow-and-shrink e2e/join-with-token e2e/rename e2e/status-page
   e2e/tls-peers integration/doctor-ssh integration/fan-out integration/gate-failures integration/hung-git
   integration/placement integration/push-aliases integration/ref-names integration/rpc-port-limits
   integration/serve-pack integration/status-page integration/transaction-settings`,
  `e2e/backup e2e/bad-input e2e/cli-terminal e2e/serve-refuses e2e/thaw-all integration/certificate-turns
   integration/doctor-hooks integration/gate integration/gate-sidecar integration/gate-users integration/hook-device
   integration/hook-socket-limits integration/hung-sources integration/odd-settings integration/pack-refs
   integration/remove-repository integration/removed-files integration/restore-repository`,
  `e2e/cli e2e/front-end e2e/gate-refusals e2e/lock e2e/lock-live e2e/replacement-refs e2e/upgrade
   integration/device-login-rights integration/event-logs integration/gate-tls integration/many-requests
   integration/plain-port-limits integration/protocol-check integration/pull-log integration/push-log
   integration/root-names integration/session-aliases integration/statements-at-size integration/status-page-list`,
  `e2e/authority-exchange e2e/crash-points-adopt e2e/crash-points-copies e2e/move-out e2e/nginx e2e/thaw e2e/tracing
   integration/fuzz-services integration/gate-addresses integration/gate-auth-request integration/gate-like-git
   integration/gate-push-refs integration/git-port integration/git-port-not-held integration/hung-gate
   integration/notifications integration/pooler integration/shared-packs-fail integration/shim-stranger`,
]);

/**
 * What operators seldom do, what ends a session, what changes of a disk by hand cause, and what watchers are told. Each
 * file runs in two of the ten parts.
 */
export const SELDOM = groups([
  `e2e/as-git-does integration/adopt-beside-pushes integration/adopt-several integration/postgres-binaries
   integration/release-replica integration/rename-beside-work integration/undo-version integration/watch-order`,
  `e2e/disk-changes integration/collect-beside-work integration/collect-garbage integration/collect-unreachable
   integration/gate-refusals-stall integration/old-disks integration/remove-beside-work
   integration/restored-elsewhere integration/thaw-promote integration/unmoved-copies`,
  `e2e/repo-undo integration/adopt-repository integration/borrowing-replica integration/exchanged-replicas
   integration/help integration/postgres integration/scan-root integration/strange-files integration/undo-objects
   integration/verify integration/watch`,
  `e2e/exchanged-directories e2e/rests-after-an-error e2e/watch integration/audit integration/commands-that-fail
   integration/damaged-objects integration/flock integration/lost-disk integration/recovery-of-disks
   integration/reftable-crashes integration/thaw integration/unreadable-files`,
  `e2e/operator-ends-sessions e2e/session-callers e2e/write-lock integration/disk-changes integration/gate-stalled
   integration/refs-by-hand integration/registry integration/rename integration/repair-loop integration/thaw-refused
   integration/undo-refused integration/watch-cursor`,
]);

/**
 * The steps of a read, a catch-up, a push and a session, each by itself, and servers that are away. The files that run
 * in every part show that these steps work together. Each file runs in three or four of the ten parts.
 */
export const MECHANISMS = groups([
  `e2e/database-away integration/ahead integration/begin-write-ids integration/catch-up-flights
   integration/catch-up-refs integration/decide integration/push-races integration/quarantine
   integration/refs-in-the-way integration/replica-states-property integration/root-record integration/stop-writes
   integration/sync-later`,
  `e2e/restart integration/begin-write integration/git-fetch integration/interrupted-recovery
   integration/landed-over-others integration/live-session integration/push-over-others integration/read-at-least
   integration/refused-packs integration/run-commands integration/trimmed-away integration/whole-updates
   integration/write-session-ends`,
  `e2e/fail-over e2e/sidecar-away e2e/write-session integration/bump integration/bump-refused integration/copies
   integration/fetch-objects integration/git-fails-around-decision integration/push-at-once integration/push-policy
   integration/push-strange-disk integration/short-walk integration/turn-queue integration/write-session`,
]);

export const LISTS = [FEATURES, SELDOM, MECHANISMS];

/** For each file, the number of groups of its list, and its group. */
const PLACES = new Map(
  LISTS.flatMap((list) => list.flatMap((files, group) => files.map((file) => [file, { groups: list.length, group }]))),
);

/** Returns the numbers of the parts in which a file runs. */
export function partsOf(file) {
  const all = Array.from({ length: PARTS }, (_, part) => part);
  const place = PLACES.get(file);
  return place === undefined ? all : all.filter((part) => part % place.groups === place.group);
}

/** Returns the files that do not run in this part: none where all parts run, or where the caller names whole files. */
export function filesOfOtherParts({ LOCKSTEP_CI_PART: part = "", LOCKSTEP_CI_WHOLE: whole } = process.env) {
  if (part === "" || whole) return [];
  return [...PLACES].flatMap(([file, { groups, group }]) => (Number(part) % groups === group ? [] : [file]));
}

/** Reads groups of names such as `e2e/cli`. */
function groups(lines) {
  return lines.map((line) => line.split(/\s+/).map((name) => `test/${name}.test.ts`));
}

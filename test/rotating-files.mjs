// The test files that `.ci/run` leaves out in some of its ten parts (deep.mjs). Files that are in no list run in every
// part: they show that no acknowledged push is lost and that no read is older than one.
//
// Each list has groups of files. Of a list with five groups, the first runs in parts 0 and 5, the second in parts 1 and
// 6, and so on. All parts take about as long: a new file goes into the group that takes the least. A file that takes
// more than 30 s on a quiet machine goes into a list of long files.
const PARTS = 10;

/** Long files of features and limits. Each file runs in one of the ten parts. */
export const LONG_FEATURES = groups([
  "e2e/observability e2e/serve-refuses integration/many-requests",
  "e2e/gitolite e2e/idle-connections e2e/package e2e/upgrade",
  "e2e/hooks e2e/registry e2e/audit-of-acts e2e/retention",
  "e2e/demo e2e/device-logins integration/hung-git",
  "e2e/certificates e2e/authority-exchange integration/certificate-matrix integration/certificate-turns",
  "e2e/backup e2e/kubernetes",
  "e2e/prometheus e2e/status-page",
  "e2e/anonymous-pusher e2e/kubernetes-sshd integration/shared-packs-fail",
  "e2e/occupied-place e2e/pusher-of-many-refs integration/shared-packs",
  "e2e/ssh-devices integration/stalled-peers",
]);

/**
 * Features and limits: what is printed, how a sidecar is deployed, who may come in, what hangs, what is refused, and
 * how many rows a statement reads at size. Each file runs in two of the ten parts.
 */
export const FEATURES = groups([
  `e2e/by-hand e2e/cluster-service e2e/gate-users e2e/kubernetes-managed e2e/local-user e2e/operators-settings
   e2e/push-processes e2e/replacement-refs e2e/scrub e2e/shallow e2e/hidden-history e2e/web-pages
   integration/ca-command integration/compose-file integration/device-logins integration/fan-out
   integration/fuzz-services integration/gate-sidecar integration/gate-early-git integration/gate-users
   integration/gate-auth-request integration/placement integration/status-page integration/status-page-list
   integration/status-page-viewers integration/trim-log integration/fetchable integration/uploads`,
  `e2e/completion e2e/move-in e2e/move-out e2e/ref-names e2e/side-effects e2e/sshd e2e/tls e2e/tls-peers
   integration/database-url integration/device-login-rights integration/device-logins-cluster integration/doctor
   integration/gate-client-crl integration/gate-like-git integration/gate-addresses integration/gate-second-refusal
   integration/gate-push-refs integration/git-port integration/git-port-not-held integration/keep-healthy
   integration/make-way integration/odd-settings integration/transaction-settings integration/pooler
   integration/rpc-port-limits integration/plain-port-limits integration/rename-names integration/shim-device`,
  `e2e/alias-with-target e2e/cli e2e/cli-terminal e2e/command e2e/front-end e2e/gate-refusals e2e/http e2e/nginx
   integration/acceptable-ref integration/session-aliases integration/push-aliases integration/copies-missing
   integration/doctor-hooks integration/doctor-ssh integration/event-logs integration/hook-device
   integration/hook-socket-limits integration/hung-sources integration/kubernetes-manifests integration/pack-refs
   integration/peers integration/pull-log integration/ssh-keys integration/test-database`,
  `e2e/bad-input-inside e2e/database-connections e2e/sync-service e2e/systemd-units e2e/tracing e2e/watched-gate
   integration/fuzz-shim integration/gate-break-off integration/gate-cache integration/gate-cache-stale
   integration/gate-failures integration/gate-tls integration/named-credential integration/peer-proxy
   integration/peer-transport integration/read-pages integration/root-names integration/scrub integration/serve-pack
   integration/shim-foreign-sidecar integration/shim-stranger integration/statements-at-size integration/trim-disk`,
  `e2e/bad-input e2e/client e2e/event-logs e2e/join-with-token e2e/pooler-logins e2e/shared-packs e2e/ssh-auto
   integration/certificate-shapes integration/gate integration/gate-limits integration/gate-memory integration/hooks
   integration/hook-addresses integration/hung-gate integration/malicious-repository integration/malicious-hooks
   integration/notifications integration/protocol-check integration/push-log integration/ref-names
   integration/symbolic-ref-files integration/registry-copy integration/remove-device integration/revoked-in-transfer
   integration/roll-up`,
]);

/** Long files of what operators seldom do. Each file runs in two of the ten parts. */
export const LONG_SELDOM = groups([
  "e2e/empty-root e2e/lock-live e2e/thaw",
  "e2e/lock-ends e2e/rename e2e/thaw-all",
  "e2e/lock integration/remove-repository integration/removed-files",
  "e2e/adopt integration/restore-repository",
  "e2e/grow-and-shrink e2e/remove",
]);

/**
 * What operators seldom do, what ends a session, what changes of a disk by hand cause, and what watchers are told. Each
 * file runs in three or four of the ten parts.
 */
export const SELDOM = groups([
  `e2e/disk-changes e2e/exchanged-directories integration/collect-garbage integration/exchanged-replicas
   integration/postgres integration/postgres-binaries integration/registry integration/rename
   integration/rename-beside-work integration/scan-root integration/thaw-promote integration/undo-refused
   integration/watch integration/watch-order integration/watch-cursor`,
  `e2e/repo-undo e2e/session-callers e2e/operator-ends-sessions e2e/watch e2e/write-lock
   integration/adopt-beside-pushes integration/adopt-several integration/audit integration/borrowing-replica
   integration/reftable-crashes integration/remove-beside-work integration/restored-elsewhere integration/undo-version
   integration/verify`,
  `e2e/as-git-does integration/adopt-repository integration/collect-unreachable integration/collect-beside-work
   integration/disk-changes integration/lost-disk integration/flock integration/old-disks integration/damaged-objects
   integration/recovery-of-disks integration/release-replica integration/strange-files integration/refs-by-hand
   integration/unreadable-files integration/thaw integration/thaw-refused integration/undo-objects`,
]);

/**
 * The steps of a read, a catch-up, a push and a session, each by itself, and servers that are away. The files that run
 * in every part show that these steps work together. Each file runs in five of the ten parts.
 */
export const MECHANISMS = groups([
  `e2e/database-away e2e/restart e2e/sidecar-away e2e/write-session integration/catch-up-flights integration/decide
   integration/git-fails-around-decision integration/git-fetch integration/live-session integration/push-policy
   integration/trimmed-away integration/turn-queue integration/write-session integration/write-session-ends`,
  `e2e/fail-over integration/begin-write integration/begin-write-ids integration/bump integration/bump-refused
   integration/copies integration/fetch-objects integration/landed-over-others integration/push-at-once
   integration/push-over-others integration/push-races integration/quarantine integration/refused-packs
   integration/read-at-least integration/replica-states-property integration/root-record integration/run-commands
   integration/stop-writes`,
]);

/**
 * Deaths at the crash points of all that is neither a push nor a session. A part had one or two tests of each file, and
 * each file starts a cluster. Each file runs in two of the ten parts, with half of its tests.
 */
export const RARE_DEATHS = groups([
  "e2e/crash-points-command e2e/crash-points-remove",
  "e2e/crash-points-copies e2e/crash-points-hooks",
  "e2e/crash-points-catch-up e2e/crash-points-undo",
  "e2e/crash-points-adopt e2e/crash-points-recovery",
  "e2e/crash-points-gc e2e/crash-points-rename",
]);

export const LISTS = [LONG_FEATURES, FEATURES, LONG_SELDOM, SELDOM, MECHANISMS, RARE_DEATHS];

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

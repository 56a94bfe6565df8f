// The test files that `.ci/run` leaves out in some of its ten parts (deep.mjs). Files that are in no list run in every
// part: they show that no acknowledged push is lost and that no read is older than one.
const PARTS = 10;

/**
 * Features and limits: what is printed, how a sidecar is deployed, who may come in, what hangs and what is refused. Each
 * file runs in two of the ten parts. Files that take long stand apart, so that no part has several.
 */
export const FEATURES = [
  ...["gitolite", "certificates", "sshd", "shallow", "demo"].map(inE2e),
  ...["git-port", "many-requests", "stalled-peers", "hung-git", "hook-device"].map(inIntegration),
  ...["anonymous-pusher", "hooks", "observability", "serve-refuses", "ssh-devices"].map(inE2e),
  ...["certificate-matrix", "shared-packs", "trim-disk", "hung-gate", "hung-sources"].map(inIntegration),
  ...["registry", "occupied-place", "device-logins", "nginx", "command"].map(inE2e),
  ...["aliases", "hooks", "gate-errors", "roll-up", "pack-refs"].map(inIntegration),
  ...["move-in", "join-with-token", "front-end", "cli-terminal", "retention"].map(inE2e),
  ...["fan-out", "scrub", "rename-names", "device-login-rights", "remove-device"].map(inIntegration),
  ...["cli", "operators-settings", "side-effects", "bad-input", "alias-with-target"].map(inE2e),
  ...["gate-tls", "gate-limits", "trim-log", "serve-pack", "port-limits"].map(inIntegration),
  ...["ref-names", "gate-users", "replacement-refs", "cluster-service", "tls"].map(inE2e),
  ...["copies-missing", "keep-healthy", "gate-failures", "notifications", "make-way"].map(inIntegration),
  ...["http", "bad-input-inside", "scrub", "local-user", "move-out"].map(inE2e),
  ...["hook-socket-limits", "registry-copy", "gate-cache", "odd-settings", "device-logins-cluster"].map(inIntegration),
  ...["web-pages", "systemd-units"].map(inE2e),
  ...["compose-file"].map(inIntegration),
  ...["ref-names", "acceptable-ref", "peers", "ssh-keys", "malicious-repository"].map(inIntegration),
  ...["shared-packs", "event-logs", "completion", "pooler-logins", "ssh-auto", "gate-refusals", "sync-service"].map(
    inE2e,
  ),
  ...["fuzz-services", "fuzz-shim", "placement", "certificate-shapes"].map(inIntegration),
  ...["database-url", "doctor", "doctor-hooks", "gate-users", "gate-break-off"].map(inIntegration),
  ...["uploads", "ca-command", "pooler", "named-credential", "test-database", "protocol-check"].map(inIntegration),
  ...["shim-foreign-sidecar", "shim-stranger", "shim-device", "device-logins", "gate"].map(inIntegration),
  ...["gate-client-crl", "gate-sidecar", "root-names", "peer-proxy", "peer-transport", "read-pages"].map(inIntegration),
  ...["kubernetes", "kubernetes-sshd", "kubernetes-managed"].map(inE2e),
  ...["kubernetes-manifests"].map(inIntegration),
  ...["package", "client", "by-hand"].map(inE2e),
  ...["status-page"].map(inIntegration),
  ...["status-page"].map(inE2e),
  ...["prometheus", "tracing"].map(inE2e),
  ...["database-connections", "backup", "upgrade", "push-processes"].map(inE2e),
  ...["gate-push-refs"].map(inIntegration),
];

/**
 * What operators seldom do, what ends a session, what changes of a disk by hand cause, and what watchers are told. Each
 * file runs in three or four of the ten parts.
 */
export const SELDOM = [
  ...["adopt", "rename", "grow-and-shrink", "thaw", "remove", "empty-root", "watch", "thaw-all"].map(inE2e),
  ...["remove-repository", "restore-repository", "collect-garbage", "watch-cursor"].map(inIntegration),
  ...["rename", "disk-changes", "release-replica", "old-disks", "thaw", "watch"].map(inIntegration),
  ...["disk-changes", "repo-undo", "exchanged-directories"].map(inE2e),
  ...["strange-files", "collect-unreachable", "undo-version", "thaw-promote"].map(inIntegration),
  ...["adopt-several", "adopt-beside-pushes", "undo-objects", "adopt-repository"].map(inIntegration),
  ...["undo-refused", "restored-elsewhere", "thaw-refused", "scan-root", "exchanged-replicas"].map(inIntegration),
  ...["verify", "borrowing-replica", "postgres", "registry", "audit", "flock"].map(inIntegration),
  ...["lock-ends", "lock-live", "as-git-does", "session-callers", "write-lock"].map(inE2e),
  ...["recovery-of-disks", "reftable-crashes"].map(inIntegration),
];

/**
 * The steps of a read, a catch-up, a push and a session, each by itself, and servers that are away. The files that run in
 * every part show that these steps work together. Each file runs in five of the ten parts.
 */
export const MECHANISMS = [
  ...["database-away", "restart", "fail-over", "sidecar-away", "write-session"].map(inE2e),
  ...["push-over-others", "turn-queue", "begin-write", "git-fetch", "write-session", "read-at-least"].map(
    inIntegration,
  ),
  ...["bump", "push-races", "catch-up-flights", "root-record", "replica-states-property"].map(inIntegration),
  ...["fetch-objects", "copies", "decide", "trimmed-away", "run-commands", "live-session"].map(inIntegration),
  ...["push-policy", "write-session-ends", "quarantine", "stop-writes"].map(inIntegration),
];

/**
 * Deaths at the crash points of all that is neither a push nor a session. A part had one or two tests of each file, and
 * each file starts a cluster. Each file runs in two of the ten parts, with half of its tests.
 */
export const RARE_DEATHS = [
  ...["recovery", "remove", "gc", "rename", "undo"],
  ...["copies", "hooks", "command", "catch-up", "adopt"],
].map((name) => inE2e(`crash-points-${name}`));

/** Returns the numbers of the parts in which a file runs. */
export function partsOf(file) {
  const all = Array.from({ length: PARTS }, (_, part) => part);
  for (const [list, every] of [
    [FEATURES, 5],
    [RARE_DEATHS, 5],
    [SELDOM, 3],
    [MECHANISMS, 2],
  ]) {
    const index = list.indexOf(file);
    if (index >= 0) return all.filter((part) => (index + part) % every === 0);
  }
  return all;
}

/** Returns the files that do not run in this part: none where all parts run, or where the caller names whole files. */
export function filesOfOtherParts({ LOCKSTEP_CI_PART: part = "", LOCKSTEP_CI_WHOLE: whole } = process.env) {
  if (part === "" || whole) return [];
  return [...FEATURES, ...RARE_DEATHS, ...SELDOM, ...MECHANISMS].filter(
    (file) => !partsOf(file).includes(Number(part)),
  );
}

function inE2e(name) {
  return `test/e2e/${name}.test.ts`;
}

function inIntegration(name) {
  return `test/integration/${name}.test.ts`;
}

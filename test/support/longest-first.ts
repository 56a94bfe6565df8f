// The order of the test files. The longest files begin first, so that none of them runs alone at the end. The other
// files keep the order of vitest.
import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * The files that take more than 35 s in a run of one part, four files at once on two cores, and the longest of a run of
 * all parts. The longest is the first.
 */
export const LONGEST = [
  "test/integration/hung-git.test.ts",
  "test/integration/statements-at-size.test.ts",
  "test/e2e/crash-points-remove.test.ts",
  "test/e2e/crash.test.ts",
  "test/e2e/lock-ends.test.ts",
  "test/e2e/backup.test.ts",
  "test/e2e/upgrade.test.ts",
  "test/e2e/restart.test.ts",
  "test/e2e/database-away.test.ts",
  "test/integration/remove-repository.test.ts",
  "test/e2e/gitolite.test.ts",
  "test/e2e/push-anywhere.test.ts",
  "test/e2e/remove.test.ts",
  "test/e2e/demo.test.ts",
  "test/e2e/kubernetes.test.ts",
  "test/e2e/kubernetes-sshd.test.ts",
  "test/e2e/package.test.ts",
  "test/e2e/status-page.test.ts",
  "test/e2e/prometheus.test.ts",
  "test/e2e/adopt.test.ts",
  "test/e2e/ssh-devices.test.ts",
  "test/e2e/retention.test.ts",
  "test/integration/many-requests.test.ts",
  "test/e2e/anonymous-pusher.test.ts",
  "test/e2e/rename.test.ts",
  "test/e2e/grow-and-shrink.test.ts",
  "test/integration/stalled-peers.test.ts",
  "test/e2e/synchronous-standby.test.ts",
  "test/e2e/crash-points-push.test.ts",
  "test/e2e/device-logins.test.ts",
  "test/integration/shared-packs.test.ts",
  "test/e2e/certificates.test.ts",
  "test/integration/certificate-matrix.test.ts",
  "test/e2e/lock-live.test.ts",
  "test/e2e/lock.test.ts",
  "test/e2e/crash-points-session.test.ts",
  "test/e2e/empty-root.test.ts",
  "test/integration/restore-repository.test.ts",
  "test/e2e/hooks.test.ts",
  "test/e2e/occupied-place.test.ts",
  "test/e2e/torture.test.ts",
  "test/integration/lock-order.test.ts",
  "test/e2e/fail-over.test.ts",
  "test/e2e/registry.test.ts",
  "test/e2e/thaw.test.ts",
  "test/e2e/thaw-all.test.ts",
  "test/e2e/sidecar-away.test.ts",
  "test/e2e/power-loss.test.ts",
  "test/integration/disk-changes.test.ts",
  "test/integration/strange-files.test.ts",
  "test/e2e/cli.test.ts",
  "test/e2e/bad-input.test.ts",
  "test/e2e/crash-points-undo.test.ts",
  "test/e2e/crash-points-recovery.test.ts",
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const root = this.ctx.config.root;
    return inOrder(await super.sort(files), ({ moduleId }) => relative(root, moduleId));
  }
}

/** Moves the items whose path is in the list to the front, in the order of the list. */
export function inOrder<Item>(items: readonly Item[], pathOf: (item: Item) => string): Item[] {
  const rank = (item: Item) => {
    const index = LONGEST.indexOf(pathOf(item));
    return index < 0 ? LONGEST.length : index;
  };
  return [...items].sort((a, b) => rank(a) - rank(b));
}

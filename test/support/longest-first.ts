// The order of the test files. The longest files begin first, so that none of them runs alone at the end. The other
// files keep the order of vitest.
import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The files that take more than 40 s on two idle cores. The longest is the first. */
export const LONGEST = [
  "test/integration/lock-order.test.ts",
  "test/e2e/synchronous-standby.test.ts",
  "test/e2e/lock.test.ts",
  "test/e2e/lock-live.test.ts",
  "test/integration/hung-git.test.ts",
  "test/e2e/torture.test.ts",
  "test/integration/hung-sources.test.ts",
  "test/integration/watch.test.ts",
  "test/integration/watch-cursor.test.ts",
  "test/integration/stalled-peers.test.ts",
  "test/integration/disk-changes.test.ts",
  "test/e2e/crash.test.ts",
  "test/e2e/database-away.test.ts",
  "test/e2e/gitolite.test.ts",
  "test/e2e/as-git-does.test.ts",
  "test/e2e/restart.test.ts",
  "test/e2e/cli.test.ts",
  "test/e2e/cli-terminal.test.ts",
  "test/e2e/demo.test.ts",
  "test/integration/statements-at-size.test.ts",
  "test/e2e/hooks.test.ts",
  "test/integration/rename.test.ts",
  "test/e2e/shallow.test.ts",
  "test/e2e/grow-and-shrink.test.ts",
  "test/integration/hooks.test.ts",
  "test/e2e/empty-root.test.ts",
  "test/e2e/adopt.test.ts",
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

// Negative controls. Each takes one rule of the protocol away, in a copy of the project, and names the tests that must
// then fail. If the tests pass without the rule, they prove nothing about it. The replaced text must occur exactly
// once, so that a stale control is noticed.

import { adoptControls } from "./adopt.mjs";
import { atOnceControls } from "./at-once.mjs";
import { backupControls } from "./backup.mjs";
import { borrowingControls } from "./borrowing.mjs";
import { certificateControls } from "./certificates.mjs";
import { commandControls } from "./commands.mjs";
import { copyControls } from "./copies.mjs";
import { crashControls } from "./crashes.mjs";
import { databaseControls } from "./database.mjs";
import { decisionControls } from "./decisions.mjs";
import { deviceLoginControls } from "./device-logins.mjs";
import { diskControls } from "./disk.mjs";
import { eventLogControls } from "./event-logs.mjs";
import { failOverControls } from "./fail-over.mjs";
import { frontEndControls } from "./front-end.mjs";
import { gateCacheControls } from "./gate-cache.mjs";
import { gateUsersControls } from "./gate-users.mjs";
import { gcControls } from "./gc.mjs";
import { gitHookControls } from "./git-hooks.mjs";
import { hungGitControls } from "./hung-git.mjs";
import { identityControls } from "./identity.mjs";
import { limitsControls } from "./limits.mjs";
import { objectControls } from "./objects.mjs";
import { overOthersControls } from "./over-others.mjs";
import { placementControls } from "./placement.mjs";
import { refFileControls } from "./ref-files.mjs";
import { refNameControls } from "./ref-names.mjs";
import { refTransactionControls } from "./ref-transactions.mjs";
import { removeControls } from "./remove.mjs";
import { renameControls } from "./rename.mjs";
import { retentionControls } from "./retention.mjs";
import { sessionControls } from "./sessions.mjs";
import { sharedPackControls } from "./shared-packs.mjs";
import { signalControls } from "./signals.mjs";
import { sourceControls } from "./sources.mjs";
import { sshControls } from "./ssh.mjs";
import { statusPageControls } from "./status-page.mjs";
import { terminalControls } from "./terminal.mjs";
import { togetherControls } from "./together.mjs";
import { tortureControls } from "./torture.mjs";
import { turnControls } from "./turns.mjs";
import { undoControls } from "./undo.mjs";
import { upgradeControls } from "./upgrade.mjs";
import { watchControls } from "./watch.mjs";

/**
 * @typedef {{ file: string, from: string, to: string }} Patch `file` is a path from the root of the project.
 * @typedef {{ rule: string, patches: Patch[], project: string, tests: string, name: string, mustFail?: boolean }}
 * Control Instead of `project` and `name` a control may have `torture`: the arguments of a torture run, whose checks
 * must fail.
 */

/**
 * The rules whose absence the checks of a history notice in the 450 operations of the torture among the tests. The
 * other rules matter only at moments that such a run seldom meets.
 */
const BY_HISTORY = ["a read of a replica asks for the head first", "the pusher hears of a write after the decision"];

export const controls = [
  ...decisionControls,
  ...failOverControls,
  ...sessionControls,
  ...sourceControls,
  ...sshControls,
  ...statusPageControls,
  ...turnControls,
  ...frontEndControls,
  ...refTransactionControls,
  ...objectControls,
  ...deviceLoginControls,
  ...identityControls,
  ...crashControls,
  ...signalControls,
  ...adoptControls,
  ...certificateControls,
  ...databaseControls,
  ...diskControls,
  ...refFileControls,
  ...copyControls,
  ...overOthersControls,
  ...atOnceControls,
  ...refNameControls,
  ...gcControls,
  ...commandControls,
  ...gitHookControls,
  ...hungGitControls,
  ...watchControls,
  ...placementControls,
  ...retentionControls,
  ...togetherControls,
  ...tortureControls,
  ...renameControls,
  ...removeControls,
  ...undoControls,
  ...gateCacheControls,
  ...sharedPackControls,
  ...gateUsersControls,
  ...backupControls,
  ...borrowingControls,
  ...limitsControls,
  ...eventLogControls,
  ...terminalControls,
  ...upgradeControls,
  ...decisionControls
    .filter(({ rule }) => BY_HISTORY.includes(rule))
    .map((control) => ({ ...control, project: "e2e", tests: "test/e2e/torture.test.ts", name: "" })),
];

// Negative controls. Each takes one rule of the protocol away, in a copy of the project, and names the tests that must
// then fail. If the tests pass without the rule, they prove nothing about it. The replaced text must occur exactly
// once, so that a stale control is noticed.

import { adoptControls } from "./adopt.mjs";
import { commandControls } from "./commands.mjs";
import { databaseControls } from "./database.mjs";
import { diskControls } from "./disk.mjs";
import { gcControls } from "./gc.mjs";
import { gitHookControls } from "./git-hooks.mjs";
import { hungGitControls } from "./hung-git.mjs";
import { placementControls } from "./placement.mjs";
import { refNameControls } from "./ref-names.mjs";
import { renameControls } from "./rename.mjs";
import { retentionControls } from "./retention.mjs";
import { tortureControls } from "./torture.mjs";
import { undoControls } from "./undo.mjs";
import { watchControls } from "./watch.mjs";

/**
 * @typedef {{ file: string, from: string, to: string }} Patch `file` is a path from the root of the project.
 * @typedef {{ rule: string, patches: Patch[], project: string, tests: string, name: string, mustFail?: boolean }}
 * Control Instead of `project` and `name` a control may have `torture`: the arguments of a torture run, whose checks
 * must fail.
 */

/** @type {Control[]} */
const byTests = [
  {
    rule: "a read of a replica asks for the head first",
    patches: [
      {
        file: "src/sync/read/before-read.ts",
        from: "if (replica.applied !== undefined && replica.applied >= head) {",
        to: "if (replica.applied !== undefined) {",
      },
    ],
    project: "integration",
    tests: "test/integration/before-read.test.ts",
    name: "returns with at least the head of when it came",
  },
  {
    rule: "a read shares the next question to the database, never the one under way",
    patches: [
      {
        file: "src/sync/lease/head-reader.ts",
        from: "      this.#next = [];\n      this.queries",
        to: "      this.queries",
      },
      {
        file: "src/sync/lease/head-reader.ts",
        from: "for (const waiter of batch) waiter.resolve(heads);",
        to: "for (const waiter of batch) waiter.resolve(heads);\n        this.#next = [];",
      },
    ],
    project: "integration",
    tests: "test/integration/before-read.test.ts",
    name: "never shares a question that was asked before it came",
  },
  {
    rule: "requests of one connection are served one after another",
    patches: [
      {
        file: "src/smart-http/one-at-a-time.ts",
        from: "if (response.socket !== null) return start(request, response);",
        to: "if (response.socket !== null || request.socket !== null) return start(request, response);",
      },
    ],
    project: "integration",
    tests: "test/integration/gate-failures.test.ts",
    name: "leave nothing behind when their client leaves",
  },
  {
    rule: "a git that fails is in the log",
    patches: [
      {
        file: "src/smart-http/exchange.ts",
        from: "if (ending && ending.code !== 0 && !git.stopped) onFailure(ending);",
        to: "if (ending && ending.code === -1 && !git.stopped) onFailure(ending);",
      },
    ],
    project: "integration",
    tests: "test/integration/gate-failures.test.ts",
    name: "in the middle of a push is told in words",
  },
  {
    rule: "the pusher hears of a write after the decision",
    patches: [
      {
        file: "src/hook/server.ts",
        from: "    const report = await push(context, request, pusher, git);\n",
        to: '    send("O", encodeReport(PushReport.of(request.updates)));\n    send("X", "0");\n    const report = await push(context, request, pusher, git);\n',
      },
    ],
    project: "e2e",
    tests: "test/e2e/crash-points-push.test.ts",
    name: "push.staged survives the death of its sidecar",
  },
  {
    rule: "after an error of the decision the row is asked, and obeyed",
    patches: [
      {
        file: "src/sync/write/decide.ts",
        from: "  const settled = await settle(",
        to: "  if (Date.now() > 0) return why;\n  const settled = await settle(",
      },
    ],
    project: "integration",
    tests: "test/integration/decide.test.ts",
    name: "",
  },
  {
    rule: "the id of a write gives nobody its session",
    patches: [
      {
        file: "migrations/functions/begin_session.sql",
        from: "      or known.caller <> p_caller or known.token_hash <> p_token_hash) then\n",
        to: "      ) then\n",
      },
      {
        file: "migrations/functions/take_turn.sql",
        from: " and w.device = p_device and w.caller = p_caller)",
        to: ")",
      },
      {
        file: "migrations/functions/take_turn.sql",
        from: " or known.caller is distinct from p_caller) then",
        to: ") then",
      },
    ],
    project: "e2e",
    tests: "test/e2e/session-callers.test.ts",
    name: "that of ops to web",
  },
  {
    rule: "a call with another's write id does not take its ticket",
    patches: [
      {
        file: "migrations/functions/take_turn.sql",
        from: " or known.caller is distinct from p_caller) then",
        to: ") then",
      },
    ],
    project: "integration",
    tests: "test/integration/begin-write.test.ts",
    name: "the ticket with which a push waits",
  },
  {
    rule: "a call with another's write id does not drop it",
    patches: [
      {
        file: "migrations/functions/take_turn.sql",
        from: "then return 'used'; end if;",
        to: "then null; end if;",
      },
      {
        file: "migrations/functions/give_up_session.sql",
        from: "w.id = p_write and w.session and w.status = 'staged' and w.device = p_device and w.caller = p_caller;",
        to: "w.id = p_write and w.status = 'staged';",
      },
      {
        file: "src/sync/session/begin-write.ts",
        from: "if (error instanceof IdInUse || hadBegun) return;",
        to: "if (hadBegun) return;",
      },
    ],
    project: "integration",
    tests: "test/integration/begin-write.test.ts",
    name: "a push that is being decided",
  },
  {
    rule: "a token serves its caller only",
    patches: [
      {
        file: "src/sync/session/renew-write.ts",
        from: "if (session.caller === callerText(caller) || (caller.role ===",
        to: "if (session.caller || (caller.role ===",
      },
    ],
    project: "e2e",
    tests: "test/e2e/session-callers.test.ts",
    name: "what web began wiki",
  },
  {
    rule: "only operators drop a session by its id",
    patches: [
      {
        file: "src/sync/session/abort-write.ts",
        from: 'if (caller.role !== "operator") {',
        to: "if (caller.role === undefined) {",
      },
    ],
    project: "e2e",
    tests: "test/e2e/session-callers.test.ts",
    name: "cannot drop it by its id",
  },
  {
    rule: "a call that is cut off does not end what its repetition waits for",
    patches: [
      { file: "src/sync/device/begin-calls.ts", from: "    if (calls.running > 0) return;\n", to: "" },
      {
        file: "src/sync/session/begin-write.ts",
        from: "      if (begun && request.signal.aborted) return;\n",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/begin-write.test.ts",
    name: "while the first is still at work",
  },
  {
    rule: "tickets appear in the order of their numbers",
    patches: [
      {
        file: "migrations/functions/take_turn.sql",
        from: "  perform 1 from lockstep.repository r where r.id = p_repository for no key update;\n",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/turns.test.ts",
    name: "while a ticket with a lower number may still appear",
  },
  {
    rule: "a push keeps its ticket through all its attempts",
    patches: [{ file: "src/sync/push/push-writer.ts", from: "      ticket: this.#races.ticket,\n", to: "" }],
    project: "integration",
    tests: "test/integration/turn-queue.test.ts",
    name: "the rule of copies has risen",
  },
  {
    rule: "a push has its ticket renewed until it gives it back",
    patches: [
      {
        file: "src/sync/turn/turn.ts",
        from: "    if (!this.#kept) sessions.turns.keep(this.#context, this.#ticket);\n",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/turn-queue.test.ts",
    name: "pushes that wait for the turn keep the turn while they catch up",
  },
  {
    rule: "waiting for the turn writes nothing",
    patches: [
      {
        file: "src/sync/turn/turn.ts",
        from: "first = seen === undefined ? await",
        to: "first = seen !== true ? await",
      },
    ],
    project: "integration",
    tests: "test/integration/turn-queue.test.ts",
    name: "take a ticket each",
  },
  {
    rule: "a repository is locked no more strongly than its foreign keys bear",
    patches: [
      {
        file: "migrations/functions/stop_repository.sql",
        from: "for no key update;",
        to: "for update;",
      },
    ],
    project: "integration",
    tests: "test/integration/lock-order.test.ts",
    name: "where the push has the turn",
  },
  {
    rule: "a decision that is found, and not made, waits for the standby",
    patches: [
      {
        file: "migrations/functions/bump.sql",
        from: "from lockstep.ref_log l where l.write_id = p_write for key share;",
        to: "from lockstep.ref_log l where l.write_id = p_write;",
      },
    ],
    project: "e2e",
    tests: "test/e2e/synchronous-standby.test.ts",
    name: "when its backend is terminated",
  },
  {
    rule: "a commit whose wait for the standby was ended is no success",
    patches: [
      {
        file: "src/store/database/database.ts",
        from: "if (unconfirmed.length > 0)",
        to: "if (unconfirmed.length > 9)",
      },
    ],
    project: "e2e",
    tests: "test/e2e/synchronous-standby.test.ts",
    name: "when its backend is cancelled",
  },
  {
    rule: "a replica takes nothing over from the log that the standby does not have",
    patches: [
      {
        file: "src/sync/catch-up/confirm.ts",
        from: "replicated ? confirm(context,",
        to: "replicated && Date.now() < 0 ? confirm(context,",
      },
    ],
    project: "e2e",
    tests: "test/e2e/synchronous-standby.test.ts",
    name: "when its backend is cancelled",
  },
  {
    rule: "a server's word on the heads counts only with a proof that it is the primary",
    patches: [{ file: "src/sync/lease/read-proven-heads.ts", from: "  await lease.prove();\n", to: "" }],
    project: "integration",
    tests: "test/integration/lease-proof.test.ts",
    name: "a current replica is not read once the last renewal is older than the lease",
  },
  {
    rule: "after a fail-over nothing is decided before the leases of the old primary have ended",
    patches: [
      {
        file: "migrations/functions/old_leases_end.sql",
        from: "if known.since is null then",
        to: "if true then",
      },
    ],
    project: "integration",
    tests: "test/integration/old-leases.test.ts",
    name: "",
  },
  {
    rule: "a device has left the old primary when it says so, not when its renewal arrives at the new one",
    patches: [
      {
        file: "migrations/functions/renew_lease.sql",
        from: "case when p_timeline = here then here else d.timeline end",
        to: "here",
      },
    ],
    project: "integration",
    tests: "test/integration/old-leases.test.ts",
    name: "counts as one that still believes the old primary",
  },
  {
    rule: "a device that has found a new primary says so at once",
    patches: [
      {
        file: "src/sync/lease/lease.ts",
        from: "      this.#events.onFailOver();\n",
        to: "      this.#events.onFailOver();\n      return;\n",
      },
    ],
    project: "integration",
    tests: "test/integration/old-leases.test.ts",
    name: "says at once that it has left the old one",
  },
  {
    rule: "times of the old primary's clock are not compared with the new one's",
    patches: [
      {
        file: "migrations/functions/note_timeline.sql",
        from: "(select max(o.expires_at - o.ttl) from lockstep.device o where o.timeline is not distinct from d.timeline)",
        to: "clock_timestamp() - d.ttl",
      },
    ],
    project: "integration",
    tests: "test/integration/old-leases.test.ts",
    name: "clock of the old primary was an hour behind",
  },
  {
    rule: "a device on another root waits for a lease of the old primary by this server's clock",
    patches: [
      {
        file: "migrations/functions/take_over.sql",
        from: "greatest(held.expires_at, case when held.timeline is distinct from known.id then known.since + held.ttl end)",
        to: "held.expires_at",
      },
    ],
    project: "integration",
    tests: "test/integration/old-leases.test.ts",
    name: "on another root",
  },
  {
    rule: "what was read from one server is confirmed by none but that one",
    patches: [
      {
        file: "migrations/functions/confirm_reads.sql",
        from: "  if p_timeline is distinct from lockstep.current_timeline() then return 'elsewhere'; end if;\n",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/old-leases.test.ts",
    name: "from a log that another server told",
  },
  {
    rule: "the listening connection is replaced with the others",
    patches: [
      { file: "src/store/database/database.ts", from: "for (const replace of this.#replacements) replace();", to: "" },
    ],
    project: "integration",
    tests: "test/integration/notifications.test.ts",
    name: "takes a new connection when connections are replaced",
  },
  {
    rule: "a write that is dropped before it was staged is not staged afterwards",
    patches: [
      {
        file: "migrations/functions/stage_write.sql",
        from: "where w.id = p_write) <> 'staged' then",
        to: "where w.id = p_write) = 'landed' then",
      },
    ],
    project: "integration",
    tests: "test/integration/old-leases.test.ts",
    name: "a stage_write that was held up stages nothing",
  },
  {
    rule: "a write is final: a dropped one does not land later",
    patches: [
      {
        file: "migrations/functions/bump.sql",
        from: "  if attempt.status is distinct from 'staged' then\n    outcome := 'dropped'; detail := attempt.drop_reason; return;\n  end if;\n",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/bump.test.ts",
    name: "",
  },
  {
    rule: "a write lands only on the head that it was made on",
    patches: [
      {
        file: "migrations/functions/bump.sql",
        from: "  if current_head <> p_base then outcome := 'stale'; return; end if;\n",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/bump.test.ts",
    name: "",
  },
  {
    rule: "old values are those of the fold",
    patches: [
      {
        file: "migrations/functions/bump.sql",
        from: "  if not lockstep.old_values_hold(p_repository, p_names, p_old_values) then outcome := 'in_doubt'; return; end if;\n",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/bump.test.ts",
    name: "",
  },
  {
    rule: "the plan of a catch-up is made under the mutex",
    patches: [
      { file: "src/sync/catch-up/follow-log.ts", from: "    if (replica.applied !== mine) return true;\n", to: "" },
    ],
    project: "integration",
    tests: "test/integration/catch-up.test.ts",
    name: "do not undo each other",
  },
  {
    rule: "a replica has a version when its refs are on disk, not when it is decided",
    patches: [
      {
        file: "src/sync/write/attempt.ts",
        from: '  await crashPoint("push.decided");',
        to: '  replica.applied = decision.version;\n  replica.appliedDigest = digest.toString("hex");\n  await crashPoint("push.decided");',
      },
    ],
    project: "integration",
    tests: "test/integration/before-read.test.ts",
    name: "waits for the refs of a write that is decided and not yet on disk",
  },
  {
    rule: "a replica takes what the log says, whatever refs its source has",
    patches: [
      {
        file: "src/sync/catch-up/follow-log.ts",
        from: "changes.map(({ name, newValue }) => [name, newValue])",
        to: "changes.map(({ name }) => [name, wants[0] ?? null])",
      },
    ],
    project: "integration",
    tests: "test/integration/catch-up.test.ts",
    name: "brings many versions at once",
  },
  {
    rule: "the caller of a session works in a scratch repository",
    patches: [
      {
        file: "src/sync/session/begin-write.ts",
        from: "expiresAt, path };",
        to: "expiresAt, path: replica.gitDir };",
      },
    ],
    project: "integration",
    tests: "test/integration/write-session.test.ts",
    name: "lands what was created, moved and deleted",
  },
  {
    rule: "a replica that is being changed is not believed to hold what it held",
    patches: [
      {
        file: "src/sync/write/attempt.ts",
        from: "const doubted = doubtReplicaRecord(replica.gitDir, noted);",
        to: "const doubted = Promise.resolve();",
      },
    ],
    project: "integration",
    tests: "test/integration/ahead.test.ts",
    name: "where the writer was killed between the first ref and the note",
  },
  {
    rule: "what was changed on live files is kept before anything is folded",
    patches: [{ file: "src/sync/catch-up/recover.ts", from: "    await endLive(context, replica);\n", to: "" }],
    project: "integration",
    tests: "test/integration/live-session.test.ts",
    name: "whose sidecar died is kept before the first read folds it away",
  },
  {
    rule: "a session whose lease ran out has lost",
    patches: [
      {
        file: "migrations/functions/bump.sql",
        from: "(holder is not null or attempt.session) then outcome := 'turn'",
        to: "holder is not null then outcome := 'turn'",
      },
      {
        file: "migrations/functions/stage_write.sql",
        from: "(holder is not null or p_session) then",
        to: "holder is not null then",
      },
    ],
    project: "integration",
    tests: "test/integration/write-session.test.ts",
    name: "lives as long as it is renewed, and is dropped when its lease runs out",
  },
  {
    rule: "the old process is gone before the device is taken over",
    patches: [
      {
        file: "src/git/root/root-lock.ts",
        from: "    if (!(await tryLock(file, options))) {",
        to: "    if (options.recordedPid === -1 && !(await tryLock(file, options))) {",
      },
    ],
    project: "integration",
    tests: "test/integration/root-lock.test.ts",
    name: "",
  },
  {
    rule: "locks that a dead process left are swept",
    patches: [
      {
        file: "src/sync/catch-up/recover.ts",
        from: "await sweep(replica.gitDir, young, replica.collecting.isLocked())",
        to: "[] as string[]",
      },
    ],
    project: "e2e",
    tests: "test/e2e/crash-points-push.test.ts",
    name: "push.prepared survives the death of its update-ref",
  },
  {
    rule: "objects are on several devices before the write lands",
    patches: [
      {
        file: "src/sync/write/stage.ts",
        from: "if (isShort(staged.copiesRule, holders, request.updates)) {",
        to: "if (Date.now() < 0) {",
      },
    ],
    project: "integration",
    tests: "test/integration/copies.test.ts",
    name: "loses nothing when the disk of the writer is lost",
  },
  {
    rule: "a push that breaks off ends by the end of git's input",
    patches: [{ file: "src/smart-http/git-child.ts", from: "if (!takesObjects) terminate();", to: "terminate();" }],
    project: "integration",
    tests: "test/integration/gate-break-off.test.ts",
    name: "leaves no git process, no quarantine and no ref",
  },
  {
    rule: "strangers are told no details",
    patches: [
      {
        file: "src/smart-http/strangers.ts",
        from: "  if (OPEN.has(code)) return",
        to: "  if (Date.now() > 0) return message;\n  if (OPEN.has(code)) return",
      },
    ],
    project: "integration",
    tests: "test/integration/gate.test.ts",
    name: "is a short sentence with an id",
  },
  {
    rule: "a refusal of the second request is told in git's own words",
    patches: [
      { file: "src/gate/serve.ts", from: "if (unread && (status", to: "if (unread && Date.now() < 0 && (status" },
    ],
    project: "integration",
    tests: "test/integration/gate-errors.test.ts",
    name: "of (a small push is told for each ref|a fetch is told)",
  },
  {
    rule: "a git that dies of a request without a word has answered it",
    patches: [
      { file: "src/smart-http/exchange.ts", from: "(died && (silent ||", to: "(died && !silent && (silent ||" },
    ],
    project: "integration",
    tests: "test/integration/gate-errors.test.ts",
    name: "is answered as git http-backend does: a shallow fetch of nothing",
  },
  {
    rule: "receive-pack's output is read on when the client is gone",
    patches: [
      {
        file: "native/git-session.c",
        from: 'if (strcmp(command, "receive-pack") == 0) relay_output();',
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/shim-client-gone.test.ts",
    name: "lets it remove its quarantine when an upload is cut off",
  },
  {
    rule: "a shim that has ended its side hears how the push ended",
    patches: [{ file: "src/hook/server.ts", from: "socket.iterator({ destroyOnReturn: false })", to: "socket" }],
    project: "e2e",
    tests: "test/e2e/pusher-leaves.test.ts",
    name: "leaves no .keep",
  },
  {
    rule: "what a receive-pack at work uses is no leftover",
    patches: [{ file: "src/git/replica/uploads.ts", from: " || (await isReceiving(gitDir))", to: "" }],
    project: "integration",
    tests: "test/integration/uploads.test.ts",
    name: "stays while a receive-pack is at work",
  },
  {
    rule: "only a hook runs programs for the sidecar",
    patches: [
      {
        file: "native/conversation.c",
        from: "    if (!conversation->is_hook) return LOST;\n    if (is_sending())",
        to: "    if (is_sending())",
      },
    ],
    project: "integration",
    tests: "test/integration/shim-stranger.test.ts",
    name: "takes no frame U, which",
  },
  {
    rule: "the directory that a client names does not say where the sidecar is",
    patches: [
      {
        file: "native/sidecar.c",
        from: "  if (!directory && is_hook) directory = configured_directory();",
        to: "  if (is_hook) directory = configured_directory();",
      },
      {
        file: "native/git-session.c",
        from: "connect_to_sidecar(purpose, 0)",
        to: "connect_to_sidecar(purpose, chdir(directory) == 0)",
      },
    ],
    project: "integration",
    tests: "test/integration/shim-stranger.test.ts",
    name: "asks the sidecar that its operator has named",
  },
  {
    rule: "a shim asks no sidecar of another user's",
    patches: [
      {
        file: "native/sidecar.c",
        from: "  if (!peer_is_ours(sidecar, is_hook))",
        to: "  if (!peer_is_ours(sidecar, is_hook) && getpid() < 0)",
      },
    ],
    project: "integration",
    tests: "test/integration/shim-stranger.test.ts",
    name: "asks no sidecar of another user's",
  },
  {
    rule: "git runs below the root only",
    patches: [{ file: "native/git-session.c", from: "  if (!configured) return resolved;", to: "  return resolved;" }],
    project: "integration",
    tests: "test/integration/shim-stranger.test.ts",
    name: "does not run git on",
  },
  {
    rule: "git gets none of a stranger's environment",
    patches: [{ file: "native/git-session.c", from: "  clean_environment();\n", to: "" }],
    project: "integration",
    tests: "test/integration/shim-stranger.test.ts",
    name: "gives git nothing of the environment",
  },
  {
    rule: "a git that was started early is used once",
    patches: [
      { file: "src/git/refs/started-transaction.ts", from: "    this.#transaction = undefined;\n", to: "" },
      // The transaction has this rule too and would refuse first, so it is taken away as well.
      {
        file: "src/git/refs/ref-transaction.ts",
        from: "if (this.#asked || this.#over) throw",
        to: "if (Date.now() < 0) throw",
      },
    ],
    project: "integration",
    tests: "test/integration/copies.test.ts",
    name: "takes the first push after the number rose",
  },
  {
    rule: "a ref is made where deletions leave room for it, and nowhere else",
    patches: [
      { file: "src/sync/write/examine-refs.ts", from: "if (taken.leaveRoomFor(name)) taken", to: "if (taken) taken" },
    ],
    project: "integration",
    tests: "test/integration/refs-in-the-way.test.ts",
    name: "a push that is not atomic",
  },
  {
    rule: "an atomic push that git cannot do in one transaction is refused",
    patches: [
      {
        file: "src/sync/write/prepare-refs.ts",
        from: "examine(context, replica, updates, atomic && !bySession)",
        to: "examine(context, replica, updates, false)",
      },
    ],
    project: "integration",
    tests: "test/integration/refs-in-the-way.test.ts",
    name: "an atomic push",
  },
  {
    rule: "refs that need the room of deleted ones are made after those",
    patches: [
      { file: "src/sync/write/commit.ts", from: "await applyRefs(context.git, replica.gitDir, afterwards);", to: "" },
    ],
    project: "integration",
    tests: "test/integration/refs-in-the-way.test.ts",
    name: "a push that is not atomic",
  },
  {
    rule: "many bad refs are found at once",
    patches: [
      { file: "src/sync/write/prepare-refs.ts", from: "  let tried = 0;\n", to: "  let tried = 1;\n" },
      {
        file: "src/sync/write/prepare-refs.ts",
        from: "updates = refuse(updates, await remedies[0]());",
        to: "updates = refuse(updates, await remedies[1]());",
      },
    ],
    project: "integration",
    tests: "test/integration/refs-in-the-way.test.ts",
    name: "cost a number of gits",
  },
  {
    rule: "the policy is asked for again when a file that is included appears",
    patches: [
      { file: "src/git/settings-watch.ts", from: "if (value !== null && /^include", to: "if (!value && /^include" },
    ],
    project: "integration",
    tests: "test/integration/policy.test.ts",
    name: "notices a file that was included",
  },
  {
    rule: "the policy is that of the git that received the push",
    patches: [
      {
        file: "src/git/settings-watch.ts",
        from: 'files.add(join(home, ".gitconfig"));',
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/policy.test.ts",
    name: "obeys the configuration of the git server's user",
  },
  {
    rule: "a new ref has three parts",
    patches: [{ file: "src/acceptable-ref.ts", from: '  if (parts.length < 3) return "funny refname";\n', to: "" }],
    project: "integration",
    tests: "test/integration/push-policy.test.ts",
    name: "is refused by its name before anybody is asked",
  },
  {
    rule: "an alias is pushed through as far as it is what it was believed to be",
    patches: [{ file: "src/sync/push/aliases.ts", from: "      at = next;\n", to: "" }],
    project: "integration",
    tests: "test/integration/aliases.test.ts",
    name: "moves, deletes and makes its target",
  },
  {
    rule: "an alias that git keeps to itself is told of",
    patches: [{ file: "src/sync/push/held-back.ts", from: "found.set(name, target)", to: "found.delete(name)" }],
    project: "e2e",
    tests: "test/e2e/alias-with-target.test.ts",
    name: "into the directory",
  },
  {
    rule: "an alias that git keeps to itself is told of as its target",
    patches: [
      {
        file: "src/sync/push/held-back.ts",
        from: "report.has(target) ? report.reasonOf(target)",
        to: "report.has(target) ? null",
      },
    ],
    project: "e2e",
    tests: "test/e2e/alias-with-target.test.ts",
    name: "is refused for the same reason",
  },
  {
    rule: "a pre-receive of an operator's is not replaced",
    patches: [
      {
        file: "src/git/refs/alias-hook.ts",
        from: " || (found !== undefined && !isAliasHook(found))",
        to: "",
      },
    ],
    project: "e2e",
    tests: "test/e2e/alias-with-target.test.ts",
    name: "stays as it is",
  },
  {
    rule: "of two aliases of one ref the first is taken",
    patches: [
      {
        file: "src/sync/push/aliases.ts",
        from: 'if (each !== taken) refused.set(each.name, "failed to update ref");',
        to: "void [each, taken];",
      },
    ],
    project: "e2e",
    tests: "test/e2e/as-git-does.test.ts",
    name: "to two aliases of one branch",
  },
  {
    rule: "symbolic refs of a reftable are read from its tables",
    patches: [
      {
        file: "src/git/refs/reftable.ts",
        from: "else found.set(name, target);",
        to: 'else if (name === "HEAD") found.set(name, target);',
      },
    ],
    project: "integration",
    tests: "test/integration/aliases-reftable.test.ts",
    name: "a session changes",
  },
  {
    rule: "a symbolic ref that leads nowhere is read",
    patches: [
      {
        file: "src/git/refs/refs.ts",
        from: "of await readSymbolicRefs(gitDir, plain)) refs",
        to: "of await readSymbolicRefs(gitDir, plain)) if (refs.has(name)) refs",
      },
    ],
    project: "integration",
    tests: "test/integration/aliases.test.ts",
    name: "makes an alias that leads nowhere",
  },
  {
    rule: "what git does not prepare is looked at before the decision",
    patches: [{ file: "src/sync/write/prepare-refs.ts", from: " || looksAlone(updates)", to: "" }],
    project: "integration",
    tests: "test/integration/aliases.test.ts",
    name: "may not",
  },
  {
    rule: "objects are durable before the write is decided",
    patches: [{ file: "src/io/disk.ts", from: 'await sync(join(gitDir, "objects", "pack"));', to: "" }],
    project: "e2e",
    tests: "test/e2e/power-loss.test.ts",
    name: "right after it said yes to the first push",
  },
  {
    rule: "another digest at the same version means that the database lost writes",
    patches: [
      {
        file: "src/sync/read/before-read.ts",
        from: "replica.appliedDigest !== found.digest",
        to: "replica.appliedDigest === ''",
      },
    ],
    project: "integration",
    tests: "test/integration/ahead.test.ts",
    name: "shows after the number was used again",
  },
  {
    rule: "what a disk holds is not folded backwards",
    patches: [
      {
        file: "src/sync/catch-up/recover.ts",
        from: '(standing?.standing === "ahead" || standing?.standing === "diverged")',
        to: "standing === null",
      },
    ],
    project: "integration",
    tests: "test/integration/ahead.test.ts",
    name: "shows when others have gone on since",
  },
  {
    rule: "what an operator gave up is kept aside",
    patches: [
      {
        file: "src/sync/replica/keep-given-up.ts",
        from: "if (last === undefined) return;",
        to: "if (last === undefined || Date.now() > 0) return;",
      },
    ],
    project: "integration",
    tests: "test/integration/thaw.test.ts",
    name: "keeps what was given up aside",
  },
  {
    rule: "a git that was started early serves only the replica that it was started in",
    patches: [
      { file: "src/gate/early-start.ts", from: "at !== undefined && at === (await place())", to: "at !== undefined" },
    ],
    project: "integration",
    tests: "test/integration/gate.test.ts",
    name: "started in another repository's replica",
  },
  {
    rule: "what a read is to wait for is reachable, not merely present",
    patches: [
      {
        file: "src/git/refs/refs.ts",
        from: 'type === "tag" ? ["--objects", "--no-object-names", "--max-count=0"] : ["--max-count=1"]',
        to: '["--max-count=1"]',
      },
    ],
    project: "integration",
    tests: "test/integration/before-read.test.ts",
    name: "takes an annotated tag too",
  },
  {
    rule: "the objects of a push are checked whatever replaces them for the front end's git",
    patches: [
      {
        file: "src/git/objects/whole-updates.ts",
        from: "  if (await walk.isConnected(idsOf(making), ends.map(toLatin1))) return new Map();",
        to: "  if (Date.now() > 0) return new Map();",
      },
    ],
    project: "e2e",
    tests: "test/e2e/replacement-refs.test.ts",
    name: "a commit whose parent nobody has lands neither",
  },
  {
    rule: "the sidecar's own git follows no replacement",
    patches: [
      { file: "src/git/objects-as-they-are.ts", from: 'GIT_NO_REPLACE_OBJECTS: "1",', to: "" },
      { file: "src/git/objects-as-they-are.ts", from: 'GIT_CONFIG_VALUE_0: "false"', to: 'GIT_CONFIG_VALUE_0: "true"' },
    ],
    project: "e2e",
    tests: "test/e2e/replacement-refs.test.ts",
    name: "a commit whose parent nobody has lands neither",
  },
  {
    rule: "the walk over what is new ends at what the refs hold, not at what a pusher claims",
    patches: [
      {
        file: "src/git/objects/whole-updates.ts",
        from: "making\n    .filter(({ name, oldValue }) => oldValue !== null && !isId(toLatin1(name)))\n    .map(({ name }) => name);",
        to: "objectIds(making.map(({ oldValue }) => oldValue)) as unknown as RefName[];",
      },
      {
        file: "src/git/objects/whole-updates.ts",
        from: "known.length === making.length ? known : ",
        to: "known.length > 0 ? known : ",
      },
    ],
    project: "e2e",
    tests: "test/e2e/replacement-refs.test.ts",
    name: "the old value that a pusher claims",
  },
  {
    rule: "a session lands nothing that is not whole",
    patches: [
      {
        file: "src/sync/session/bump-version.ts",
        from: "if (incomplete.size > 0) throw",
        to: "if (incomplete.size < 0) throw",
      },
    ],
    project: "integration",
    tests: "test/integration/whole-updates.test.ts",
    name: "lands nothing that rests on unreferenced objects of the replica",
  },
  {
    rule: "a name that git takes for the id of an object ends no walk",
    patches: [
      {
        file: "src/git/objects/whole-updates.ts",
        from: "return /-g[0-9a-f]*$/i.test(name);",
        to: "return name === '';",
      },
    ],
    project: "integration",
    tests: "test/integration/whole-updates.test.ts",
    name: "is not taken in by a name",
  },
  {
    rule: "a copy does not rest on objects that merely exist",
    patches: [
      {
        file: "src/git/objects/whole-updates.ts",
        from: "  if (here.length === 0 || (await isConnected(",
        to: "  if (Date.now() > 0 || (await isConnected(",
      },
    ],
    project: "integration",
    tests: "test/integration/whole-updates.test.ts",
    name: "does not rest on what merely lies on the disk",
  },
  {
    rule: "what hides a part of history is set aside before a replica is read",
    patches: [
      { file: "src/git/objects/beside-objects.ts", from: "  await setFilesAside(gitDir, found, to);\n", to: "" },
      { file: "src/smart-http/protocol.ts", from: "    ...OBJECTS_AS_THEY_ARE,\n", to: "" },
    ],
    project: "e2e",
    tests: "test/e2e/shallow.test.ts",
    name: "is set aside before the first read",
  },
  {
    rule: "work at a source is what its git says that is new",
    patches: [
      {
        file: "src/git-port/server.ts",
        from: "  const { pack, done } = await packs.open(device, await readJson(request), gone, heartbeat(response));\n",
        to: "  const beat = heartbeat(response);\n  setInterval(beat, 3_000).unref();\n  const { pack, done } = await packs.open(device, await readJson(request), gone, beat);\n",
      },
    ],
    project: "integration",
    tests: "test/integration/hung-sources.test.ts",
    name: "tells the peer only of what is new",
  },
  {
    rule: "another source is asked when the first shows no work",
    patches: [{ file: "src/sync/objects/source-race.ts", from: "HEDGE_MS = 3_000", to: "HEDGE_MS = 3_000_000" }],
    project: "integration",
    tests: "test/integration/hung-sources.test.ts",
    name: "it sleeps",
  },
  {
    rule: "a repository is followed once",
    patches: [
      {
        file: "src/sync/catch-up/follower.ts",
        from: "if (this.#following.has(repositoryId)) this.#following",
        to: "if (!repositoryId) this.#following",
      },
    ],
    project: "integration",
    tests: "test/integration/hung-sources.test.ts",
    name: "follow a repository once, however often they hear of it",
  },
  {
    rule: "each device has places of its own",
    patches: [{ file: "src/sync/objects/pack-places.ts", from: "const OWN = 2;", to: "const OWN = 0;" }],
    project: "unit",
    tests: "test/unit/pack-places.test.ts",
    name: "for each other device",
  },
  {
    rule: "a peer that takes nothing is hung up on",
    patches: [{ file: "src/git-port/response-watch.ts", from: "waiting > 0 ? STALL_MS", to: "waiting > 0 ? 1e9" }],
    project: "integration",
    tests: "test/integration/stalled-peers.test.ts",
    name: "keeps no other device from its packs \\(byGit",
  },
  {
    rule: "a place is taken once the question is whole",
    patches: [
      {
        file: "src/git-port/upload-pack.ts",
        from: "await wholeRequest(request);",
        to: "requestBody(request);",
      },
    ],
    project: "integration",
    tests: "test/integration/stalled-peers.test.ts",
    name: "stock git\\), and is hung up on",
  },
  {
    rule: "a signal for one piece of work leaves its parents",
    patches: [{ file: "src/io/signals.ts", from: "[Symbol.dispose]: detach", to: "[Symbol.dispose]: () => {}" }],
    project: "unit",
    tests: "test/unit/signals.test.ts",
    name: "leaves its parents",
  },
  {
    rule: "a request leaves no signal behind",
    patches: [
      {
        file: "src/rpc/handlers/before-read.ts",
        from: "forPush: request.forPush, signal };",
        to: "forPush: request.forPush, signal: AbortSignal.any([signal, context.signal]) };",
      },
    ],
    project: "integration",
    tests: "test/integration/many-requests.test.ts",
    name: "",
  },
  {
    rule: "the fence (its absence must not be found: base, old values and the final status carry the safety, the fence is depth)",
    patches: [
      {
        file: "migrations/functions/bump.sql",
        from: "  perform 1 from lockstep.device d where d.name = p_device and d.fence = p_fence for key share;\n  if not found then outcome := 'fenced'; return; end if;\n",
        to: "  perform 1 from lockstep.device d where d.name = p_device for key share;\n",
      },
    ],
    project: "e2e",
    tests: "test/e2e/crash-points-push.test.ts",
    name: "push.(staged|deciding|decided) survives the death of its (sidecar|device)",
    mustFail: false,
  },
];

/**
 * The rules whose absence the checks of a history notice in the 450 operations of the torture among the tests. The
 * other rules matter only at moments that such a run seldom meets.
 */
const BY_HISTORY = ["a read of a replica asks for the head first", "the pusher hears of a write after the decision"];

export const controls = [
  ...byTests,
  ...adoptControls,
  ...databaseControls,
  ...diskControls,
  ...refNameControls,
  ...gcControls,
  ...commandControls,
  ...gitHookControls,
  ...hungGitControls,
  ...watchControls,
  ...placementControls,
  ...retentionControls,
  ...tortureControls,
  ...renameControls,
  ...undoControls,
  ...byTests
    .filter(({ rule }) => BY_HISTORY.includes(rule))
    .map((control) => ({ ...control, project: "e2e", tests: "test/e2e/torture.test.ts", name: "" })),
];

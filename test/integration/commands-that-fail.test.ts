// The work of a command fails: for a while, because its repository was removed or renamed meanwhile, or for good.
import { existsSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { LockstepError } from "../../src/errors.ts";
import { type Command, type CommandName, enqueueCommand } from "../../src/store/command/commands.ts";
import { findCommand, listCommands } from "../../src/store/command/find-commands.ts";
import { plainRepository } from "../support/plain-repository.ts";
import { runQueue } from "../support/queue.ts";
import { aside, pushed, removeOnly } from "../support/removing.ts";
import { APP, renameOnly, SHOP } from "../support/renaming.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const order = (on: TestDevice, id: string, command: CommandName) =>
  enqueueCommand(on.context.db, { repositoryId: id, repository: APP, device: on.name, command, author: "ada" });

const untilItIs = async (on: TestDevice, id: string, state: Command["state"]): Promise<Command> =>
  await vi.waitFor(async () => {
    const command = await findCommand(on.context.db, id);
    expect(command.state, command.lastError ?? "").toBe(state);
    return command;
  }, SOON);

/** Does something the first time that a device has run a statement which matches. */
function onceAfter(device: TestDevice, statement: RegExp, act: () => Promise<unknown>): void {
  const { onStatement } = device;
  device.onStatement = async (text, run) => {
    const answer = await onStatement(text, run);
    if (statement.test(text)) {
      device.onStatement = onStatement;
      await act();
    }
    return answer;
  };
}

/** Each command begins with it. */
const LOOK = /r\.removed_at is not null as removed\s+from lockstep\.replica p join/;

const noRoom = () => Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });

/** A repository on two devices, of which the second one lacks version 2. */
async function behind(cluster: TestCluster) {
  const { a, b, id, one } = await pushed(cluster);
  const two = await a.commit(APP, "two", { parents: [one] });
  await a.push(APP, [change("main", one, two)]);
  return { a, b, id, two };
}

describe("a command that meets a full disk", () => {
  it("catches up once there is room again, and nobody has to order it anew", async () => {
    await using cluster = await TestCluster.make();
    const { b, id } = await behind(cluster);
    const honest = b.openPack;
    b.openPack = () => Promise.reject(noRoom());
    const sync = await order(b, id, "sync");
    await using queue = runQueue(b);
    await vi.waitFor(async () => {
      const { endedAt, lastError } = await findCommand(b.context.db, sync);
      expect(endedAt).toBeNull();
      expect(lastError).toMatch(/disk refuses.*make room/);
    }, SOON);
    b.openPack = honest;
    await cluster.sql("update lockstep.command set due_at = now() where state = 'queued'");
    queue.wakeups.wake();
    expect(await untilItIs(b, sync, "done")).toMatchObject({ outcome: { version: 2 }, lastError: null });
    expect(await listCommands(b.context.db, { states: ["failed"], limit: 10 })).toEqual([]);
  });

  it("moves the files of a removed repository aside once that is possible", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, id } = await pushed(cluster);
    await removeOnly(a, APP);
    let refused = 0;
    b.onStatement = async (text, run) => {
      if (!text.includes("lockstep.release_replica") || refused > 0) return await run();
      refused += 1;
      throw Object.assign(new Error("EACCES: permission denied, rename"), { code: "EACCES", path: b.gitDir(APP) });
    };
    await using queue = runQueue(b);
    await vi.waitFor(() => expect(refused).toBe(1), SOON);
    await cluster.sql("update lockstep.command set due_at = now() where state = 'queued' and command = 'release'");
    queue.wakeups.wake();
    await vi.waitFor(async () => expect(await aside(b)).toEqual([`${id}.git`]), SOON);
    expect(existsSync(b.gitDir(APP))).toBe(false);
  });

  it("fails after ten errors if it is a gc, so that the gcs of other replicas do not wait behind it", async () => {
    await using cluster = await TestCluster.make();
    const { b, id } = await pushed(cluster);
    await b.beforeGit(`case "$*" in *pack-objects*) echo "fatal: No space left on device" >&2; exit 128;; esac`);
    const gc = await order(b, id, "gc");
    await cluster.sql("update lockstep.command set attempts = 8, failures = 8 where id = $1", [gc]);
    await using queue = runQueue(b);
    const failed = await vi.waitFor(async () => {
      await cluster.sql("update lockstep.command set due_at = now() where state = 'queued'");
      queue.wakeups.wake();
      const command = await findCommand(b.context.db, gc);
      expect(command.state).toBe("failed");
      return command;
    }, SOON);
    expect(failed).toMatchObject({ attempts: 10, failures: 10, lastError: expect.stringContaining("disk refuses") });
  });

  it("does not fail at its first error if it has only waited before, for a source and for its sidecar", async () => {
    await using cluster = await TestCluster.make();
    const { b, id, two } = await behind(cluster);
    const honest = b.openPack;
    b.openPack = () => Promise.reject(new LockstepError("SOURCE_FAILED", "not now"));
    const verify = await order(b, id, "verify");
    await cluster.sql("update lockstep.command set attempts = 20 where id = $1", [verify]);
    await using queue = runQueue(b);
    const startAtOnce = async () => {
      await cluster.sql("update lockstep.command set due_at = now() where state = 'queued'");
      queue.wakeups.wake();
    };
    const untilItMet = async (error: RegExp, counted: object) =>
      await vi.waitFor(async () => {
        const command = await findCommand(b.context.db, verify);
        // Once it has met the error it rests. Without the rest it would meet it ten times, and fail.
        if (!error.test(command.lastError ?? "")) await startAtOnce();
        expect(command.lastError).toMatch(error);
        expect(command).toMatchObject({ state: "queued", ...counted });
        return command;
      }, SOON);
    const { attempts } = await untilItMet(/not now/, { failures: 0 });
    expect(attempts).toBeGreaterThan(20);
    b.openPack = () => Promise.reject(noRoom());
    const met = await untilItMet(/disk refuses/, {});
    expect(met.failures).toBeGreaterThan(0);
    b.openPack = honest;
    // As after the rest of the catch-up: until then each attempt gets its last error.
    b.replica(APP).failure = undefined;
    await startAtOnce();
    expect(await untilItIs(b, verify, "done")).toMatchObject({ outcome: { version: 2 } });
    expect(await b.has(APP, two)).toBe(true);
  });
});

describe("a command whose repository is removed while it works", () => {
  it.each<CommandName>(["verify", "repair", "gc", "rename"])("is superseded: %s", async (command) => {
    await using cluster = await TestCluster.make();
    const { a, b, id } = await pushed(cluster);
    const ordered = await order(b, id, command);
    onceAfter(b, LOOK, () => removeOnly(a, APP));
    await using _ = runQueue(b);
    const superseded = await untilItIs(b, ordered, "superseded");
    expect(superseded).toMatchObject({ lastError: "The repository was removed.", attempts: 1 });
    await vi.waitFor(async () => expect(await aside(b)).toEqual([`${id}.git`]), SOON);
    expect(await listCommands(b.context.db, { states: ["failed"], limit: 10 })).toEqual([]);
  });

  it("is superseded where it makes the first copy", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
    const id = await cluster.create(APP, [a]);
    await cluster.addReplica(APP, b);
    const provision = await order(b, id, "provision");
    onceAfter(b, LOOK, () => removeOnly(a, APP));
    await using _ = runQueue(b);
    expect(await untilItIs(b, provision, "superseded")).toMatchObject({ lastError: "The repository was removed." });
  });
});

it("a command whose repository is renamed while it works is tried again under the new name", async () => {
  await using cluster = await TestCluster.make();
  const { a, b, id } = await pushed(cluster);
  const verify = await order(b, id, "verify");
  onceAfter(b, LOOK, () => renameOnly(a, APP, SHOP));
  await using queue = runQueue(b);
  await vi.waitFor(async () => {
    await cluster.sql("update lockstep.command set due_at = now() where state = 'queued'");
    queue.wakeups.wake();
    expect(await findCommand(b.context.db, verify)).toMatchObject({ state: "done", repository: SHOP });
  }, SOON);
  // The second attempt may meet the directory while it moves.
  expect((await findCommand(b.context.db, verify)).attempts).toBeGreaterThan(1);
});

it("a command that finds something else at the place of a new replica fails, and tells what", async () => {
  await using cluster = await TestCluster.make();
  const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
  const id = await cluster.create(APP, [a]);
  await cluster.addReplica(APP, b);
  await plainRepository(b.gitDir(APP));
  const provision = await order(b, id, "provision");
  await using _ = runQueue(b);
  const failed = await untilItIs(b, provision, "failed");
  expect(failed.lastError).toMatch(/is not a replica made by Lockstep/);
  expect(await cluster.sql("select state from lockstep.replica where device = $1", [b.name])).toEqual([
    { state: "broken" },
  ]);
});

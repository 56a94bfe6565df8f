// A device carries out the commands of its queue, and an operator orders some.
import { describe, expect, it, vi } from "vitest";
import { LockstepError } from "../../src/errors.ts";
import type { Command } from "../../src/store/command/commands.ts";
import { findCommand, listCommands } from "../../src/store/command/find-commands.ts";
import { queryOnce } from "../../src/store/database/database.ts";
import { orderCommand } from "../../src/sync/operator/order-command.ts";
import { runQueue } from "../support/queue.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";

async function order(device: TestDevice, command: string, on = device.name): Promise<string> {
  const asked = { repository: APP, device: on, command, author: "ada", reason: "test" };
  const [made] = await orderCommand(device.context, asked);
  return (made as Command).id;
}

const ended = (device: TestDevice, id: string) =>
  vi.waitFor(async () => {
    const command = await findCommand(device.context.db, id);
    expect(command.endedAt).not.toBeNull();
    return command;
  }, SOON);

describe("a device that carries out commands", () => {
  it("catches up, verifies and repairs its replica, and tells what it did", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one)]);
    await using queue = runQueue(b);
    const sync = await order(a, "sync", b.name);
    queue.wakeups.wake();
    expect(await ended(a, sync)).toMatchObject({
      state: "done",
      outcome: { version: 1 },
      attempts: 1,
      lastError: null,
    });
    await b.git(APP, ["update-ref", "refs/heads/stray", one]);
    const repair = await order(a, "repair", b.name);
    queue.wakeups.wake();
    expect(await ended(a, repair)).toMatchObject({ state: "done", outcome: { version: 1, damage: [], failure: null } });
    const verify = await order(a, "verify", b.name);
    queue.wakeups.wake();
    expect(await ended(a, verify)).toMatchObject({ state: "done", outcome: { differences: 0 } });
    await b.expectInLockstep(APP);
  });

  it("looks at the state of the replica before each command: one that is released is not touched", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const first = await order(a, "sync", b.name);
    await queryOnce(a.context.db.work, "update lockstep.replica set state = 'released' where device = $1", [b.name]);
    await using queue = runQueue(b);
    queue.wakeups.wake();
    const command = await ended(a, first);
    expect(command).toMatchObject({ state: "superseded", outcome: null });
    expect(command.lastError).toMatch(/released/);
  });

  it("tries a command again after a temporary error, and keeps the error", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    const honest = b.openPack;
    b.openPack = async () => {
      throw new LockstepError("SOURCE_FAILED", "the source is away");
    };
    await using queue = runQueue(b);
    const sync = await order(a, "sync", b.name);
    queue.wakeups.wake();
    await vi.waitFor(async () => {
      const command = await findCommand(a.context.db, sync);
      expect(command).toMatchObject({ state: "queued", attempts: 1 });
      expect(command.lastError).toMatch(/source/);
    }, SOON);
    b.openPack = honest;
    const again = await vi.waitFor(async () => {
      queue.wakeups.wake();
      const command = await findCommand(a.context.db, sync);
      expect(command.state).toBe("done");
      return command;
    }, SOON);
    expect(again.attempts).toBeGreaterThan(1);
    expect(again.lastError).toBeNull();
  });

  it("ends a command whose outcome it could not record at first: the database was away", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    let refusals = 0;
    b.onStatement = async (text, run) => {
      if (text.includes("end_command") && refusals < 2) {
        refusals += 1;
        throw new LockstepError("DATABASE_UNAVAILABLE", "the database is away");
      }
      return await run();
    };
    await using queue = runQueue(b);
    const sync = await order(a, "sync", b.name);
    queue.wakeups.wake();
    expect(await ended(a, sync)).toMatchObject({ state: "done", attempts: 1 });
    expect(refusals).toBe(2);
  });

  it("gives a command back when it is stopped, and the next incarnation carries it out", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    let asked = 0;
    b.openPack = async (_peer, _request, signal) => {
      asked += 1;
      return await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
    };
    const queue = runQueue(b);
    const sync = await order(a, "sync", b.name);
    queue.wakeups.wake();
    await vi.waitFor(() => expect(asked).toBeGreaterThan(0), SOON);
    await b.crash();
    await queue[Symbol.asyncDispose]();
    const next = await b.restart();
    await using _ = runQueue(next);
    expect(await ended(a, sync)).toMatchObject({ state: "done", attempts: 2 });
  });
});

describe("an operator who asks for a command", () => {
  it("gets one for each device that holds the repository", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const made = await orderCommand(a.context, {
      repository: APP,
      device: "",
      command: "gc",
      author: "ada",
      reason: "",
    });
    expect(made.map(({ device }) => device).sort()).toEqual([a.name, b.name].sort());
  });

  it.each([
    ["a command that there is not", { command: "explode" }, "INVALID_REQUEST"],
    ["a command with a call of its own", { command: "adopt" }, "INVALID_REQUEST"],
    ["a device without a replica", { device: "nobody" }, "REPLICA_NOT_FOUND"],
    ["a repository that there is not", { repository: "none" }, "REPOSITORY_NOT_FOUND"],
  ])("is refused %s", async (_, wrong, code) => {
    await using cluster = await TestCluster.make();
    const [a] = await cluster.pair(APP);
    const request = { repository: APP, device: "", command: "sync", author: "ada", reason: "", ...wrong };
    await expect(orderCommand(a.context, request)).rejects.toMatchObject({ code });
    expect(await listCommands(a.context.db, { limit: 10 })).toEqual([]);
  });
});

// Acts as an operator who moves repositories and devices about: renames, placements, drains, commands.
import { setTimeout as delay } from "node:timers/promises";
import { describe, LockstepError } from "../../src/errors.ts";
import { administer } from "../support/administer.ts";
import type { Device } from "../support/cluster-device.ts";
import { askElsewhere } from "./ask-elsewhere.ts";
import type { FaultContext, Make } from "./fault-context.ts";
import { laterName } from "./placed.ts";

const CALL_MS = 8_000;
const RETRY_MS = 200;
const SET_MS = 120_000;
/** The longest wait for a device to give a copy up, or to be drained. */
const GIVEN_UP_MS = 15_000;
/** Names that one repository may have. It gets earlier ones again. */
const NAMES = 3;
const COMMANDS = ["gc", "verify", "repair", "sync", "provision"];
/** A refusal that stays until something else changes. Another device would answer the same. */
const REFUSED = /^(DEVICE_NEEDED|INVALID_REQUEST|REPOSITORY_NOT_FOUND|REPLICA_NOT_FOUND)$/;

/** Makes a call through the first device that answers. Returns a refusal as its code. */
export async function byAnyDevice<T extends object>(
  { cluster }: FaultContext,
  call: (device: Device) => Promise<T>,
  withinMs = SET_MS,
): Promise<T | string> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    let said = "";
    for (const { host } of cluster.members) {
      try {
        return await call(host.device);
      } catch (error) {
        said = error instanceof LockstepError ? error.code : describe(error);
        if (REFUSED.test(said)) return said;
      }
    }
    if (Date.now() > deadline) return `no answer: ${said}`;
    await delay(RETRY_MS);
  }
}

/** Gives a repository another of its names. */
export const rename: Make = async (context, { repository, choice }, { host }) => {
  const { placed } = context;
  return await placed.hold(repository, async () => {
    const before = placed.nameOf(repository);
    const others = Array.from({ length: NAMES }, (_, index) => laterName(repository, index)).filter(
      (name) => name !== before,
    );
    const newName = others[Math.floor(choice * others.length)]!;
    const request = { repository: before, newName, author: "torture", reason: "torture" };
    const said = await host.device.call("RenameRepository", request, { timeoutMs: CALL_MS }).then(
      () => "renamed",
      (error: unknown) => describe(error),
    );
    await placed.refresh().catch(() => {});
    return `${before} to ${newName}: ${said.slice(0, 200)}`;
  });
};

interface Named {
  readonly repository: string;
  readonly repositoryId: string;
}

/** Restores a repository through any device, until the database says that it is there. Returns what became of it. */
async function restore(context: FaultContext, named: Named): Promise<string> {
  const isThere = async () =>
    await administer(context.cluster.databaseUrl, (db) =>
      db.query("select from lockstep.repository where id = $1 and removed_at is null", [named.repositoryId]),
    ).then(
      ({ rowCount }) => rowCount === 1,
      () => false,
    );
  const deadline = Date.now() + SET_MS;
  const request = { ...named, author: "torture", reason: "torture" };
  for (;;) {
    const call = (asked: Device) => asked.call("RestoreRepository", request, { timeoutMs: CALL_MS });
    const restored = await byAnyDevice(context, call, RETRY_MS);
    if (await isThere()) return "restored";
    if (Date.now() > deadline)
      return `not restored (${typeof restored === "string" ? restored : "though it was told"})`;
    await delay(RETRY_MS);
  }
}

/** Restores what a removal that was held up has removed after its restoration. */
export async function restoreAll(context: FaultContext): Promise<void> {
  const { rows } = await administer(context.cluster.databaseUrl, (db) =>
    db.query<Named>(
      `select removed_name as repository, id as "repositoryId" from lockstep.repository where removed_at is not null`,
    ),
  );
  for (const named of rows) await restore(context, named);
}

/** Removes a repository, and restores it a moment later. Until then nobody reads it or pushes to it. */
export const removeAndRestore: Make = async (context, { repository, lasts }) => {
  const { placed } = context;
  return await placed.hold(repository, async () => {
    const place = placed.placeOf(repository);
    if (place === undefined) return "no repository is there";
    const named = { repository: place.name, repositoryId: place.id, author: "torture", reason: "torture" };
    const removed = await byAnyDevice(
      context,
      (asked) => asked.call("RemoveRepository", { ...named, keepDays: 1 }, { timeoutMs: CALL_MS }),
      GIVEN_UP_MS,
    );
    await delay(lasts);
    const restored = await restore(context, named);
    await placed.refresh().catch(() => {});
    return `${place.name} was ${typeof removed === "string" ? `perhaps removed (${removed})` : "removed"}, and ${restored}`;
  });
};

/**
 * Takes a repository from some devices, or puts it on all of them. Then asks a device that has given its copy up for a
 * read, which it must refuse.
 */
export const changePlacement: Make = async (context, { repository, choice, lasts }) => {
  const { cluster, placed, minCopies } = context;
  const all = cluster.names;
  const kept = all.filter((_, index) => Math.floor(choice * 2 ** all.length) & (1 << index));
  const few = kept.length < Math.max(1, minCopies) || kept.length === all.length;
  const placement = few ? { all: true } : { devices: kept };
  // Copies that go at once test that nothing takes them back, and others that something does.
  const keepDays = Math.floor(choice * 1_000) % 2;
  const set = await placed.hold(repository, async () =>
    byAnyDevice(
      context,
      (device) =>
        device.call(
          "SetRepository",
          { repository: placed.nameOf(repository), placement, keepDays, author: "torture" },
          { timeoutMs: CALL_MS },
        ),
      GIVEN_UP_MS,
    ),
  );
  await placed.refresh().catch(() => {});
  const words = few ? "all devices" : kept.join(", ");
  if (typeof set === "string") return `${repository} on ${words}: ${set}`;
  await delay(lasts);
  const left = all.filter((device) => !few && !kept.includes(device));
  const asked: string[] = [];
  for (const device of left) asked.push(`${device} ${await askElsewhere(context, repository, device, GIVEN_UP_MS)}`);
  return `${repository} on ${words}${asked.length > 0 ? `; ${asked.join(", ")}` : ""}`;
};

/** Drains a device, and ends that later. */
export const drain: Make = async (context, { device, lasts }) => {
  const request = { device, author: "torture" };
  const drained = await byAnyDevice(
    context,
    (asked) => asked.call("DrainDevice", request, { timeoutMs: CALL_MS }),
    GIVEN_UP_MS,
  );
  await delay(lasts);
  await undrain(context, device);
  return typeof drained === "string" ? drained : "drained";
};

/** Lets a device take writes and replicas again. */
export async function undrain(context: FaultContext, device: string): Promise<void> {
  const undrained = await byAnyDevice(context, (asked) =>
    asked.call("UndrainDevice", { device, author: "torture" }, { timeoutMs: CALL_MS }),
  );
  if (typeof undrained === "string") throw new Error(`${device} was not undrained: ${undrained}`);
}

/** Drains a device and removes it when the others have everything. Then it joins again, as a new one. */
export const leaveAndJoin: Make = async (context, { device, lasts }) => {
  const request = { device, author: "torture" };
  const drained = await byAnyDevice(
    context,
    (asked) => asked.call("DrainDevice", request, { timeoutMs: CALL_MS }),
    GIVEN_UP_MS,
  );
  let removed: unknown = drained;
  if (typeof drained !== "string") {
    const deadline = Date.now() + GIVEN_UP_MS;
    do {
      await delay(RETRY_MS);
      removed = await byAnyDevice(
        context,
        (asked) => asked.call("RemoveDevice", request, { timeoutMs: CALL_MS }),
        GIVEN_UP_MS,
      );
    } while (typeof removed === "string" && Date.now() < deadline);
  }
  await delay(lasts);
  await undrain(context, device);
  return typeof removed === "string" ? `not removed: ${removed}` : "removed, and back";
};

/** Lets a device only serve reads for a while. */
export const takeNoWrites: Make = async (context, { device, lasts }) => {
  const set = async (writes: boolean) =>
    await byAnyDevice(context, (asked) =>
      asked.call("SetDevice", { device, writes, author: "torture" }, { timeoutMs: CALL_MS }),
    );
  const closed = await set(false);
  await delay(lasts);
  const opened = await set(true);
  if (typeof opened === "string") throw new Error(`${device} takes no writes: ${opened}`);
  return typeof closed === "string" ? closed : "only reads";
};

/** Orders a command for the replica of one device. Each command that was acknowledged must end. */
export const orderCommand: Make = async (context, { repository, device, choice }, { host }) => {
  const command = COMMANDS[Math.floor(choice * COMMANDS.length)]!;
  const request = { repository: context.placed.nameOf(repository), device, command, author: "torture", reason: "" };
  return await host.device.call("EnqueueCommand", request, { timeoutMs: CALL_MS }).then(
    ({ commands }) => {
      for (const { id } of commands) context.ordered.add(id);
      return command;
    },
    (error: unknown) => `${command}: ${describe(error).slice(0, 120)}`,
  );
};

// Creates a repository: first its rows, then the replicas on the devices. A device finds its pending row through a
// notification or by polling.
import { setTimeout as sleep } from "node:timers/promises";
import { whyUnacceptable } from "../../acceptable-ref.ts";
import { HEAD, refName, symbolicTo } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { deviceName, repositoryName } from "../../names.ts";
import { replicasOf } from "../../store/replica/replicas.ts";
import { createRepository as insert } from "../../store/repository/repositories.ts";
import { WAITS } from "../../waits.ts";
import { catchUp } from "../catch-up/catch-up.ts";
import type { SyncContext } from "../device/context.ts";
import { refuseOccupied } from "./refuse-occupied.ts";

export interface NewRepository {
  readonly repository: string;
  readonly devices: readonly string[];
  /** Empty: main. */
  readonly defaultBranch: string;
  /** Empty: sha1. */
  readonly objectFormat: string;
  /** 0: one copy. */
  readonly minCopies: number;
}

const COPIES_LIMIT = 100;

/** Checks a number of copies and returns it. Throws INVALID_REQUEST. */
export function copiesOf(count: number): number {
  if (count >= 1 && count <= COPIES_LIMIT) return count;
  throw new LockstepError("INVALID_REQUEST", `Copies are at least 1 and at most ${COPIES_LIMIT}.`);
}

/**
 * Creates a repository, and waits up to WAITS.createMs for the replicas of live devices. Throws INVALID_NAME,
 * INVALID_REQUEST, REPOSITORY_EXISTS, DEVICE_NOT_FOUND, DIRECTORY_EXISTS.
 */
export async function createRepository(
  context: SyncContext,
  request: NewRepository,
  signal: AbortSignal,
): Promise<{ name: string; objectFormat: "sha1" | "sha256" }> {
  const name = repositoryName(request.repository);
  const chosen = request.devices.map(deviceName);
  const defaultBranch = request.defaultBranch || "main";
  // The rule for every ref, narrowed to names that need no quoting anywhere.
  if (
    !/^[A-Za-z0-9_][A-Za-z0-9_./+-]{0,199}$/.test(defaultBranch) ||
    whyUnacceptable({ name: HEAD, newValue: symbolicTo(refName(`refs/heads/${defaultBranch}`)) }) !== null
  ) {
    throw new LockstepError(
      "INVALID_REQUEST",
      `${JSON.stringify(defaultBranch.slice(0, 70))} cannot be the name of a branch; use one such as main.`,
    );
  }
  const objectFormat = request.objectFormat || "sha1";
  if (objectFormat !== "sha1" && objectFormat !== "sha256") {
    throw new LockstepError(
      "INVALID_REQUEST",
      `There is no object format ${JSON.stringify(objectFormat.slice(0, 70))}; use sha1 or sha256.`,
    );
  }
  const minCopies = copiesOf(request.minCopies || 1);
  await refuseOccupied(context, name, signal);
  const { id, devices } = await insert(context.db, { name, devices: chosen, defaultBranch, objectFormat, minCopies });
  context.announcer.announce(id);
  if (devices.includes(context.me.device)) {
    // A failure here is recorded in the replica's row, and is tried again.
    await catchUp(context, context.replicas.get({ id, name, objectFormat }), 0n, { signal }).catch(() => {});
  }
  const deadline = performance.now() + WAITS.createMs;
  while (performance.now() < deadline && !signal.aborted) {
    const waiting = (await replicasOf(context.db, id)).filter(({ live, state }) => live && state === "pending");
    if (waiting.length === 0) break;
    await sleep(20);
  }
  return { name, objectFormat };
}

// Serves the other side of a catch-up. A peer asks for the objects between the values that it wants and those that it
// has, both from the log.
import { once } from "node:events";
import { isObjectId, isUuid } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import type { FairPlaces, PlaceLimits } from "../../fair-places.ts";
import { type PackStream, startPack } from "../../git/objects/send-pack.ts";
import { CopyNotWanted, type HoldRequestBody, type PackRequestBody } from "../../git/peers/pack-requests.ts";
import { wasReplica } from "../../git/replica/repository.ts";
import { type LinkedSignal, linkSignals } from "../../io/signals.ts";
import { placeOf } from "../../store/repository/former-names.ts";
import { findRepository } from "../../store/repository/repositories.ts";
import { WAITS } from "../../waits.ts";
import type { SyncContext } from "../device/context.ts";
import { type Replica, replicaPath } from "../device/replica.ts";
import { busyError, packPlaces } from "./busy.ts";
import { FanOut } from "./fan-out.ts";

/** More would not fit into a request. */
const IDS_LIMIT = 500_000;

/** Makes packs for other devices. */
export class PackServer {
  readonly #context: SyncContext;
  readonly #fanOut = new FanOut();
  readonly #places: FairPlaces;
  readonly #onDoubt: (replica: Replica) => void;

  /** `onDoubt`: called when a replica lacks objects that it should hold. Nobody here waits for it. */
  constructor(context: SyncContext, onDoubt: (replica: Replica) => void, limits: PlaceLimits) {
    this.#context = context;
    this.#onDoubt = onDoubt;
    this.#places = packPlaces(context.me.device, limits);
    context.metrics.limits.tell("packs", limits.all, () => this.#places.taken);
  }

  /**
   * Starts a pack for the device `asker` and returns with its first byte. Until then, calls `onWork` whenever the work
   * shows something new. Throws INVALID_REQUEST, REPLICA_NOT_FOUND, SOURCE_FAILED, QUEUE_FULL, PERMISSION_DENIED for an
   * id that no ref ever had, and CopyNotWanted. The details of QUEUE_FULL name the devices to ask instead, if there are
   * any.
   */
  async open(asker: string, body: unknown, signal: AbortSignal, onWork: () => void = () => {}): Promise<PackStream> {
    const request = checked(body);
    const { device } = this.#context.me;
    // Somebody else with the key of this device has asked the other one to copy them.
    if (request.copy && !this.#context.fetchable.isOffered(asker, request.repositoryId, request.wants))
      throw new CopyNotWanted(device);
    const gitDir = await this.#gitDir(request.repositoryId);
    this.#refer(asker, request);
    const link = linkSignals([signal, this.#context.signal]);
    let place: Disposable | undefined;
    const end = () => {
      place?.[Symbol.dispose]();
      link[Symbol.dispose]();
    };
    try {
      if (request.visit === "referred") await this.#untilHere(asker, request, link.signal, onWork);
      place = this.takePlace(asker);
      const stream = await this.#checkedPack(asker, request, gitDir, link, onWork);
      stream.done.catch(() => {}).finally(end);
      return stream;
    } catch (error) {
      end();
      if (!(error instanceof LockstepError && error.code === "PERMISSION_DENIED"))
        await this.lookAfter(request.repositoryId);
      throw error;
    }
  }

  /**
   * Called after git found objects missing in a replica. If parts of the replica are gone from this disk, or were
   * moved, starts their repair.
   */
  async lookAfter(repositoryId: string): Promise<void> {
    const replica = this.#context.replicas.find(repositoryId);
    if (replica?.applied === undefined) return;
    await replica.mutex.look();
    if (replica.applied !== undefined && !(await replica.mutex.lookForMissing())) return;
    this.#onDoubt(replica);
  }

  /** Takes a place for a pack that is being made, until the result is disposed. Throws QUEUE_FULL. */
  takePlace(asker: string): Disposable {
    return this.#places.take(asker);
  }

  /**
   * Returns where stock git finds the repository of that name on this device. Throws REPOSITORY_NOT_FOUND,
   * REPLICA_NOT_FOUND.
   */
  async locate(name: string): Promise<{ id: string; gitDir: string }> {
    const known = this.#context.replicas.findByName(name);
    if (known !== undefined) return known;
    const { id } = await findRepository(this.#context.db, name);
    return { id, gitDir: await this.#gitDir(id) };
  }

  /** Asks whether the device may have the objects while git starts, so that nobody waits for the answer. */
  async #checkedPack(
    asker: string,
    { repositoryId, wants, haves }: PackRequestBody,
    gitDir: string,
    link: LinkedSignal,
    onWork: () => void,
  ): Promise<PackStream> {
    const { git, fetchable } = this.#context;
    const allowed = fetchable.check(asker, repositoryId, wants);
    allowed.catch(() => link.abort());
    const stream = await startPack(git, gitDir, wants, haves, link.signal, onWork).catch(async (error: unknown) => {
      // Whether an object is here is not for those who may not have it.
      await allowed;
      throw error;
    });
    // Node throws the output of a process away that ends while nobody listens.
    const listening = () => {};
    stream.pack.on("readable", listening);
    await allowed.finally(() => stream.pack.off("readable", listening));
    return stream;
  }

  /** Refers a device that comes after the first few to those, unless it has asked them already. */
  #refer(asker: string, { repositoryId, version, visit }: PackRequestBody): void {
    if (visit === "last") return;
    const holders = this.#fanOut.refer(repositoryId, BigInt(version), asker, performance.now());
    if (holders) throw busyError(this.#context.me.device, "has sent this version to other devices already", holders);
  }

  /** Waits for objects that are on their way to this device. Their progress counts as work. */
  async #untilHere(
    asker: string,
    { repositoryId, version }: PackRequestBody,
    signal: AbortSignal,
    onWork: () => void,
  ): Promise<void> {
    const replica = this.#context.replicas.find(repositoryId);
    const flight = replica?.flight;
    if (!flight || (replica.applied ?? -1n) >= BigInt(version)) return;
    // Each of the two would wait for the other.
    if (flight.asking.has(asker)) throw busyError(this.#context.me.device, "asks for this version itself");
    using patience = linkSignals([signal], WAITS.packHoldMs);
    const enough = once(patience.signal, "abort").then(() => "enough");
    // Devices that wait in a circle would pass each sign of work round without a pause.
    let toldAt = Number.NEGATIVE_INFINITY;
    const passOn = () => {
      if (performance.now() - toldAt < WAITS.sourceHedgeMs / 10) return;
      toldAt = performance.now();
      onWork();
    };
    flight.listeners.add(passOn);
    try {
      // The search for the objects shows whether the flight succeeded.
      const outcome = await Promise.race([flight.done.catch(() => {}), enough]);
      signal.throwIfAborted();
      if (outcome === "enough") throw busyError(this.#context.me.device, "is still receiving this version");
    } finally {
      flight.listeners.delete(passOn);
    }
  }

  async #gitDir(repositoryId: string): Promise<string> {
    const known = this.#context.replicas.find(repositoryId);
    if (known) return known.gitDir;
    const { root, db, me } = this.#context;
    const { name, places } = await placeOf(db, me.device, repositoryId);
    // The repository was renamed while this device was away, and the directory has not moved yet.
    for (const each of places) {
      if (await wasReplica(replicaPath(root, each), repositoryId)) return replicaPath(root, each);
    }
    return replicaPath(root, name);
  }
}

function checked(body: unknown): PackRequestBody {
  const { version, visit, copy } = (body ?? {}) as Partial<PackRequestBody>;
  const objects = checkedObjects(body);
  if (
    typeof version !== "string" ||
    !/^\d{1,19}$/.test(version) ||
    (visit !== "first" && visit !== "referred" && visit !== "last")
  ) {
    throw new LockstepError(
      "INVALID_REQUEST",
      "A request for a pack lacks its version or its visit; run the same version of Lockstep on all devices.",
    );
  }
  return { ...objects, version, visit, copy: copy === true };
}

/** Returns the ids in the message of a device. Throws INVALID_REQUEST. */
export function checkedObjects(body: unknown): Omit<HoldRequestBody, "refs"> {
  const { repositoryId, wants, haves } = (body ?? {}) as Partial<HoldRequestBody>;
  const ids = (list: unknown): list is string[] =>
    Array.isArray(list) && list.length <= IDS_LIMIT && list.every((id) => typeof id === "string" && isObjectId(id));
  if (typeof repositoryId !== "string" || !isUuid(repositoryId) || !ids(wants) || !ids(haves) || wants.length === 0) {
    throw new LockstepError(
      "INVALID_REQUEST",
      "A request for objects lacks its repository, or has a wrong object id; run the same version of Lockstep on all devices.",
    );
  }
  return { repositoryId, wants, haves };
}

// The other side of a catch-up: a peer asks for the objects between what the log told it to want and what it has.
import { once } from "node:events";
import { isObjectId, isUuid } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import type { HoldRequestBody, PackRequestBody } from "../../git/objects/pack-stream.ts";
import { type PackStream, startPack } from "../../git/objects/send-pack.ts";
import { linkSignals } from "../../io/signals.ts";
import { replicaName } from "../../store/replicas.ts";
import { findRepository } from "../../store/repositories.ts";
import type { SyncContext } from "../device/context.ts";
import { type Replica, replicaPath } from "../device/replica.ts";
import { FanOut } from "./fan-out.ts";
import { busyError, PackPlaces } from "./pack-places.ts";

const IDS_LIMIT = 2_000_000;
/** How long a peer that was sent here is kept until what it wants has come here itself. */
const HOLD_MS = 60_000;

export class PackServer {
  readonly #context: SyncContext;
  readonly #fanOut = new FanOut();
  readonly #places: PackPlaces;
  readonly #onDoubt: (replica: Replica) => void;

  /** `onDoubt`: called where a replica lacks what it should hold, which nobody here waits for. */
  constructor(context: SyncContext, onDoubt: (replica: Replica) => void) {
    this.#context = context;
    this.#onDoubt = onDoubt;
    this.#places = new PackPlaces(context.me.device);
  }

  /**
   * Starts a pack for the device `asker`; returns with its first byte, until which `onWork` is called whenever the work on it shows
   * something new. Throws INVALID_REQUEST, REPLICA_NOT_FOUND, SOURCE_FAILED, and QUEUE_FULL, with the devices to ask instead in its
   * details where there are such.
   */
  async open(asker: string, body: unknown, signal: AbortSignal, onWork: () => void = () => {}): Promise<PackStream> {
    const request = checked(body);
    const gitDir = await this.#gitDir(request.repositoryId);
    this.#refer(asker, request);
    const link = linkSignals([signal, this.#context.signal]);
    let place: Disposable | undefined;
    const end = () => {
      place?.[Symbol.dispose]();
      link[Symbol.dispose]();
    };
    try {
      if (request.turn === "referred") await this.#untilHere(request, link.signal, onWork);
      place = this.takePlace(asker);
      const stream = await startPack(this.#context.git, gitDir, request.wants, request.haves, link.signal, onWork);
      stream.done.catch(() => {}).finally(end);
      return stream;
    } catch (error) {
      end();
      await this.lookAfter(request.repositoryId);
      throw error;
    }
  }

  /** After git found no objects in a replica: what is gone from this disk, or lies elsewhere on it, is mended, not only missed. */
  async lookAfter(repositoryId: string): Promise<void> {
    const replica = this.#context.replicas.find(repositoryId);
    if (replica?.applied === undefined) return;
    await replica.mutex.look();
    if (replica.applied !== undefined && !(await replica.mutex.lookForMissing())) return;
    this.#onDoubt(replica);
  }

  /** One of the places for packs being made, until it is disposed of. Throws QUEUE_FULL. */
  takePlace(asker: string): Disposable {
    return this.#places.take(asker);
  }

  /** Where stock git finds a repository of that name on this device. Throws REPOSITORY_NOT_FOUND, REPLICA_NOT_FOUND. */
  async locate(name: string): Promise<{ id: string; gitDir: string }> {
    const known = this.#context.replicas.findByName(name);
    if (known !== undefined) return known;
    const { id } = await findRepository(this.#context.db, name);
    return { id, gitDir: await this.#gitDir(id) };
  }

  /** Sends those elsewhere who come after the first few, unless they have been there. */
  #refer(asker: string, { repositoryId, version, turn }: PackRequestBody): void {
    if (turn === "last") return;
    const holders = this.#fanOut.refer(repositoryId, BigInt(version), asker, performance.now());
    if (holders) throw busyError(this.#context.me.device, "has given this to others already", holders);
  }

  /** Objects that are on their way to this device are waited for; that they come nearer is work. */
  async #untilHere({ repositoryId, version }: PackRequestBody, signal: AbortSignal, onWork: () => void): Promise<void> {
    const replica = this.#context.replicas.find(repositoryId);
    const flight = replica?.flight;
    if (!flight || (replica.applied ?? -1n) >= BigInt(version)) return;
    using patience = linkSignals([signal], HOLD_MS);
    const enough = once(patience.signal, "abort").then(() => "enough");
    flight.listeners.add(onWork);
    try {
      // Whether it came to a good end shows when the objects are looked for.
      const outcome = await Promise.race([flight.done.catch(() => {}), enough]);
      signal.throwIfAborted();
      if (outcome === "enough") throw busyError(this.#context.me.device, "is still receiving it");
    } finally {
      flight.listeners.delete(onWork);
    }
  }

  async #gitDir(repositoryId: string): Promise<string> {
    const known = this.#context.replicas.find(repositoryId);
    if (known) return known.gitDir;
    return replicaPath(this.#context.root, await replicaName(this.#context.db, this.#context.me.device, repositoryId));
  }
}

function checked(body: unknown): PackRequestBody {
  const { version, turn } = (body ?? {}) as Partial<PackRequestBody>;
  const objects = checkedObjects(body);
  if (
    typeof version !== "string" ||
    !/^\d{1,19}$/.test(version) ||
    (turn !== "first" && turn !== "referred" && turn !== "last")
  ) {
    throw new LockstepError("INVALID_REQUEST", "A pack request has a version and a turn.");
  }
  return { ...objects, version, turn };
}

/** The ids in what a device sent. Throws INVALID_REQUEST. */
export function checkedObjects(body: unknown): Omit<HoldRequestBody, "refs"> {
  const { repositoryId, wants, haves } = (body ?? {}) as Partial<HoldRequestBody>;
  const ids = (list: unknown): list is string[] =>
    Array.isArray(list) && list.length <= IDS_LIMIT && list.every((id) => typeof id === "string" && isObjectId(id));
  if (typeof repositoryId !== "string" || !isUuid(repositoryId) || !ids(wants) || !ids(haves) || wants.length === 0) {
    throw new LockstepError(
      "INVALID_REQUEST",
      "A request for objects has a repository id, wanted objects and held objects.",
    );
  }
  return { repositoryId, wants, haves };
}

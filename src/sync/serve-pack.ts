// The other side of a catch-up: a peer asks for the objects between what the log told it to want and what it has.
import { isObjectId } from "../domain.ts";
import { LockstepError } from "../errors.ts";
import { type PackStream, startPack } from "../git/pack-source.ts";
import type { PackRequestBody } from "../git/transports/pack-stream.ts";
import { replicaName } from "../store/replicas.ts";
import type { SyncContext } from "./context.ts";
import { replicaPath } from "./replica.ts";

/** Packs being made at once; a peer that is turned away asks the next device. */
const PACKS_LIMIT = 8;
const IDS_LIMIT = 2_000_000;

export class PackServer {
  readonly #context: SyncContext;
  #running = 0;

  constructor(context: SyncContext) {
    this.#context = context;
  }

  /** Starts a pack. Throws INVALID_REQUEST, QUEUE_FULL, REPLICA_NOT_FOUND, SOURCE_FAILED. */
  async open(body: unknown, signal: AbortSignal): Promise<PackStream> {
    const { repositoryId, wants, haves } = checked(body);
    if (this.#running >= PACKS_LIMIT) {
      throw new LockstepError(
        "QUEUE_FULL",
        `Device ${this.#context.me.device} sends ${PACKS_LIMIT} packs already; ask another.`,
      );
    }
    this.#running += 1;
    let streaming = false;
    try {
      const gitDir = await this.#gitDir(repositoryId);
      const both = AbortSignal.any([signal, this.#context.signal]);
      const stream = await startPack(this.#context.git, gitDir, wants, haves, both);
      streaming = true;
      const free = () => {
        this.#running -= 1;
      };
      stream.done.then(free, free);
      return stream;
    } finally {
      if (!streaming) this.#running -= 1;
    }
  }

  async #gitDir(repositoryId: string): Promise<string> {
    const known = this.#context.replicas.find(repositoryId);
    if (known) return known.gitDir;
    return replicaPath(this.#context.root, await replicaName(this.#context.db, this.#context.me.device, repositoryId));
  }
}

function checked(body: unknown): PackRequestBody {
  const { repositoryId, wants, haves } = (body ?? {}) as Partial<PackRequestBody>;
  const ids = (list: unknown): list is string[] =>
    Array.isArray(list) && list.length <= IDS_LIMIT && list.every((id) => typeof id === "string" && isObjectId(id));
  if (
    typeof repositoryId !== "string" ||
    !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(repositoryId) ||
    !ids(wants) ||
    !ids(haves) ||
    wants.length === 0
  ) {
    throw new LockstepError("INVALID_REQUEST", "A pack request has a repository id, wanted objects and held objects.");
  }
  return { repositoryId, wants, haves };
}

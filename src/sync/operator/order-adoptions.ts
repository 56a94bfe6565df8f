// Orders adoptions: a command for each directory, carried out by the device that has it. Few are under way at once, so
// thousands need no more memory than a few.
import { setTimeout as sleep } from "node:timers/promises";
import { LockstepError } from "../../errors.ts";
import { deviceName } from "../../names.ts";
import { listUnknownOf } from "../../store/adopt/unknown-directories.ts";
import { type Command, enqueueCommand, notifyCommands } from "../../store/command/commands.ts";
import { listCommands } from "../../store/command/find-commands.ts";
import { type Adoption, adoptRepository } from "../adopt/adopt-repository.ts";
import { scanRoot } from "../adopt/scan-root.ts";
import type { SyncContext } from "../device/context.ts";

/** How many adoptions are under way at once. */
const AT_ONCE = 8;
/** How many names are read at once. */
const PAGE = 500;
/** The pause between two looks at the commands under way. */
const LOOK_MS = 25;

export interface AdoptionOrder {
  /** Empty with `all`. */
  readonly repositories: readonly string[];
  /** Every directory below this device's root that the database does not know. */
  readonly all: boolean;
  /** Empty: no device is named. */
  readonly from: string;
  readonly dryRun: boolean;
  readonly author: string;
  readonly signal: AbortSignal;
}

/** Adopts directories of this device and tells the outcome of each. Throws INVALID_REQUEST, and what a scan throws. */
export async function orderAdoptions(
  context: SyncContext,
  order: AdoptionOrder,
  tell: (adoption: Exclude<Adoption, { elsewhere: string }>) => void,
): Promise<void> {
  if (order.all === order.repositories.length > 0)
    throw new LockstepError("INVALID_REQUEST", "Name the repositories to adopt, or ask for all of them.");
  const from = order.from === "" ? undefined : deviceName(order.from);
  const ends = new CommandEnds(context);
  const underWay = new Set<Promise<void>>();
  for await (const name of order.all ? unknownNames(context) : new Set(order.repositories)) {
    order.signal.throwIfAborted();
    const done = adoptOne(context, name, { ...order, from }, ends).then((adoption) => {
      tell(adoption);
      underWay.delete(done);
    });
    // One that fails stays, so that its error is told below. Until then nobody waits for it.
    underWay.add(done);
    done.catch(() => {});
    if (underWay.size >= AT_ONCE) await Promise.race(underWay);
  }
  await Promise.all(underWay);
}

async function* unknownNames(context: SyncContext): AsyncGenerator<string> {
  await scanRoot(context);
  for (let after = ""; ; ) {
    const page = await listUnknownOf(context.db, context.me.device, after, PAGE);
    for (const { repository } of page) yield repository;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.path;
  }
}

type Named = Omit<AdoptionOrder, "from"> & { readonly from: string | undefined };

async function adoptOne(
  context: SyncContext,
  name: string,
  order: Named,
  ends: CommandEnds,
): Promise<Exclude<Adoption, { elsewhere: string }>> {
  if (order.dryRun) return await planOne(context, name, order);
  const first = await command(context, name, context.me.device, order, ends);
  if (!("elsewhere" in first)) return first;
  const second = await command(context, name, first.elsewhere, { ...order, from: first.elsewhere }, ends);
  if (!("elsewhere" in second)) return second;
  return refusal(name, `The devices do not agree on the one that adopts it; name it with --from.`);
}

async function planOne(
  context: SyncContext,
  name: string,
  order: Named,
): Promise<Exclude<Adoption, { elsewhere: string }>> {
  const planned = await adoptRepository(context, name, order);
  if (!("elsewhere" in planned)) return planned;
  return refusal(name, `Nothing was changed. Device ${planned.elsewhere} would adopt it, so ask for the plan there.`);
}

function refusal(repository: string, reason: string) {
  return { refused: { repository, reason, differences: [] } };
}

/** Has a device adopt its directory of that name, and returns the outcome. */
async function command(
  context: SyncContext,
  name: string,
  device: string,
  { from, author, signal }: Named,
  ends: CommandEnds,
): Promise<Adoption> {
  const request = { repositoryId: null, repository: name, device, command: "adopt" as const, author };
  const id = await enqueueCommand(context.db, { ...request, arguments: from === undefined ? {} : { from } });
  await notifyCommands(context.db, [device]);
  const ended = await ends.of(id, signal);
  const outcome = ended.outcome as Adoption | null;
  return outcome ?? refusal(name, ended.lastError ?? `The command ${id} ended as ${ended.state}.`);
}

interface Waiter {
  resolve(command: Command): void;
  reject(error: unknown): void;
}

/** Waits for commands. One statement looks at all that are under way. */
class CommandEnds {
  readonly #context: SyncContext;
  readonly #waiting = new Map<string, Waiter>();
  #looking: Promise<void> | undefined;

  constructor(context: SyncContext) {
    this.#context = context;
  }

  /** Returns the command once it has ended. Rejects when `signal` aborts; the command goes on. */
  async of(id: string, signal: AbortSignal): Promise<Command> {
    signal.throwIfAborted();
    const stop = () => this.#waiting.get(id)?.reject(signal.reason);
    signal.addEventListener("abort", stop);
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        this.#looking ??= this.#look()
          .catch((error: unknown) => {
            for (const waiter of this.#waiting.values()) waiter.reject(error);
          })
          .finally(() => {
            this.#looking = undefined;
          });
      });
    } finally {
      signal.removeEventListener("abort", stop);
      this.#waiting.delete(id);
    }
  }

  async #look(): Promise<void> {
    while (this.#waiting.size > 0) {
      this.#context.signal.throwIfAborted();
      const ids = [...this.#waiting.keys()];
      for (const command of await listCommands(this.#context.db, { ids, limit: ids.length })) {
        if (command.endedAt === null) continue;
        this.#waiting.get(command.id)?.resolve(command);
      }
      await sleep(LOOK_MS);
    }
  }
}

// Orders a full verification of every replica of this device within --scrub-days, spread evenly over that time. With
// 300 replicas and 30 days that is one every 144 minutes. The replica whose last scrub is longest ago comes first.
import { enqueueCommand, notifyCommands } from "../../store/command/commands.ts";
import { listCommands } from "../../store/command/find-commands.ts";
import { nextToScrub, scrubPace, type ToScrub } from "../../store/replica/scrubs.ts";
import type { SyncContext } from "../device/context.ts";

const DAY_S = 24 * 60 * 60;
/** How often the replicas are counted. Counting a million costs a tenth of a second. */
const COUNT_MS = 10 * 60_000;
/** So many may wait in the queue at once. Where there are very many replicas, one look orders several. */
const OPEN_LIMIT = 20;
/** How much faster it goes while replicas are overdue, as after a device was away for weeks. */
const HURRY = 4;

/** Orders the scrubs of one device. */
export class Scrubs {
  readonly #context: SyncContext;
  #counted: { replicas: number; at: number } | undefined;
  /** When the last scrub was ordered (milliseconds of the monotonic clock). */
  #orderedAt: number | undefined;

  constructor(context: SyncContext) {
    this.#context = context;
  }

  /** Orders the scrubs that are due now. Returns the names of their repositories. Throws DATABASE_UNAVAILABLE. */
  async order(): Promise<string[]> {
    const { db, me, upkeep } = this.#context;
    const withinS = upkeep.scrubDays * DAY_S;
    if (withinS === 0) return [];
    const replicas = await this.#count();
    if (replicas === 0) return [];
    const sinceS = (performance.now() - (this.#orderedAt ?? 0)) / 1000;
    const everyS = withinS / replicas;
    // Nothing can be due yet, not even in a hurry.
    if (sinceS < everyS / HURRY) return [];
    const { device } = me;
    const due = await nextToScrub(db, device, OPEN_LIMIT);
    const paceS = (due[0]?.age ?? 0) > withinS ? everyS / HURRY : everyS;
    // A replica that was made a moment ago need not be read again.
    const count = Math.min(Math.floor(sinceS / paceS), due.filter(({ age }) => age > everyS).length);
    const open = await listCommands(db, { device, states: ["queued", "running"], limit: 1_000 });
    const scrubbing = new Set(open.filter(({ command }) => command === "verify").map((each) => each.repositoryId));
    const next = due.slice(0, Math.min(count, OPEN_LIMIT - scrubbing.size));
    const fresh = next.filter(({ repositoryId }) => !scrubbing.has(repositoryId));
    if (next.length > 0) this.#orderedAt = performance.now();
    for (const each of fresh) await this.#enqueue(each);
    if (fresh.length > 0) await notifyCommands(db, [device]);
    return fresh.map(({ name }) => name);
  }

  async #enqueue({ repositoryId, name }: ToScrub): Promise<void> {
    const { db, me } = this.#context;
    await enqueueCommand(db, {
      ...{ repositoryId, repository: name, device: me.device, command: "verify", author: me.device },
      ...{ reason: "scrub", daemon: true },
    });
  }

  async #count(): Promise<number> {
    const now = performance.now();
    if (this.#counted && now - this.#counted.at < COUNT_MS) return this.#counted.replicas;
    const { replicas, sinceLast } = await scrubPace(this.#context.db, this.#context.me.device);
    this.#counted = { replicas, at: now };
    // The pace goes on where the process before this one left it. The first scrub of all waits for its time too.
    this.#orderedAt ??= now - (sinceLast ?? 0) * 1000;
    return replicas;
  }
}

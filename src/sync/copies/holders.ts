// Keeps track of the other devices that hold the objects of one write.
import { isDeepStrictEqual } from "node:util";
import type { RefUpdate } from "../../domain.ts";
import type { CopiesRule } from "../../store/write/writes.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";
import { makeCopies } from "./copies.ts";

/** Finds the devices that hold the objects of one write, over all its attempts. */
export class Holders {
  readonly #updates: readonly RefUpdate[];
  readonly #tell: ((text: string) => void) | undefined;
  #devices: readonly string[] | undefined;
  #tooFew: { rule: CopiesRule; error: unknown } | undefined;

  /** `tell` shows a line to the pusher. */
  constructor(updates: readonly RefUpdate[], tell?: (text: string) => void) {
    this.#updates = updates;
    this.#tell = tell;
  }

  /** The names of the devices. undefined: no device was asked to hold anything. */
  get devices(): readonly string[] | undefined {
    return this.#devices;
  }

  /** Makes copies by the rule of the last write. If the rule has changed since, the next attempt finds out. */
  async makeEarly(context: SyncContext, replica: Replica): Promise<void> {
    const rule = replica.copiesRule;
    await this.make(context, replica, rule).catch((error: unknown) => {
      this.#tooFew = { rule, error };
    });
  }

  /** Makes copies by this rule, unless they were too few for the same rule before. Throws NOT_ENOUGH_COPIES. */
  async make(context: SyncContext, replica: Replica, rule: CopiesRule): Promise<void> {
    if (this.#tooFew !== undefined && isDeepStrictEqual(rule, this.#tooFew.rule)) throw this.#tooFew.error;
    this.#tooFew = undefined;
    const request = { updates: this.#updates, rule, ...(this.#tell && { tell: this.#tell }) };
    this.#devices = await makeCopies(context, replica, request);
  }
}

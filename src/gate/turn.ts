// The way of one request through the gate: it asks the sidecar, and takes a place for its git after that. So requests
// that wait for a slow copy of one repository take no place from the others.
import type { Grant } from "./cache/grant.ts";
import type { Limited, Places } from "./places.ts";

/** The places of a gate. */
export interface Crowd {
  /** For requests that ask the sidecar or wait in line: they cost little. */
  readonly asking: Places;
  /** For requests that have a git. */
  readonly serving: Places;
  /** For refused pushes that are answered in git's form. */
  readonly telling: Places;
}

/** One request. It gives its places back when it is disposed of. */
export class Turn implements Disposable {
  readonly #serving: Places;
  readonly #address: Limited;
  #asking: Disposable | undefined;
  #place: Disposable | undefined;

  /** `address`: whose requests are counted. Throws Refusal (503) when too many requests ask already. */
  constructor({ asking, serving }: Crowd, address: Limited) {
    this.#serving = serving;
    this.#address = address;
    this.#asking = asking.takeFree(address);
  }

  /** Returns how many more gits there may be. */
  readonly room = (): number => this.#serving.roomFor(this.#address);

  /** Resolves when the sidecar has agreed and there is a place. Throws the errors of `ask` and of `Places.take`. */
  async grant(ask: () => Promise<Grant>, signal: AbortSignal): Promise<Grant> {
    const grant = await ask();
    const isFree = this.room() > 0;
    this.#place = await this.#serving.take(this.#address, signal);
    // A grant is good for the moment. Behind the same name there may be another replica after a wait in line.
    const current = isFree ? grant : await ask();
    this.#asking?.[Symbol.dispose]();
    this.#asking = undefined;
    return current;
  }

  [Symbol.dispose](): void {
    this.#asking?.[Symbol.dispose]();
    this.#place?.[Symbol.dispose]();
  }
}

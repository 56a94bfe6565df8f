// git stores `refs/heads/a` as a file, and `refs/heads/a/b` in a directory of that name. So a repository holds only one
// of the two.
import { nameFromLatin1, type RefName, toLatin1 } from "../../domain.ts";

/**
 * Returns the names that may not exist beside `name` because they are its leading directories: `refs`, `refs/heads`, …
 */
export function namesAbove(name: RefName): RefName[] {
  const above: RefName[] = [];
  const path = toLatin1(name);
  for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1))
    above.push(nameFromLatin1(path.slice(0, slash)));
  return above;
}

/** Names of refs, and the names that they make impossible. */
export class TakenNames {
  readonly #names = new Set<RefName>();
  readonly #directories = new Set<RefName>();

  constructor(names: Iterable<RefName> = []) {
    for (const name of names) this.add(name);
  }

  add(name: RefName): void {
    this.#names.add(name);
    for (const above of namesAbove(name)) this.#directories.add(above);
  }

  /** Returns true unless this name is taken, or one above or below it. */
  leaveRoomFor(name: RefName): boolean {
    return (
      !this.#names.has(name) &&
      !this.#directories.has(name) &&
      !namesAbove(name).some((above) => this.#names.has(above))
    );
  }
}

/** Returns true when a name comes twice, or leads to another. git never takes both in one transaction. */
export function clash(names: Iterable<RefName>): boolean {
  const taken = new TakenNames();
  for (const name of names) {
    if (!taken.leaveRoomFor(name)) return true;
    taken.add(name);
  }
  return false;
}

// git stores `refs/heads/a` as a file and `refs/heads/a/b` below a directory of that name, so a repository holds only one of the two.
import { nameFromLatin1, type RefName, toLatin1 } from "../../domain.ts";

/** The names that may not exist beside `name` because they are its leading directories: `refs`, `refs/heads`, … */
export function namesAbove(name: RefName): RefName[] {
  const above: RefName[] = [];
  const path = toLatin1(name);
  for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1))
    above.push(nameFromLatin1(path.slice(0, slash)));
  return above;
}

/** Refs that exist, and with them which other names a repository can take. */
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

  /** True unless a name that is taken lies above or below this one. */
  leaveRoomFor(name: RefName): boolean {
    return !this.#directories.has(name) && !namesAbove(name).some((above) => this.#names.has(above));
  }
}

/** True when one of the names is a leading directory of another: git takes them in one transaction under no circumstances. */
export function clash(names: Iterable<RefName>): boolean {
  const taken = new TakenNames();
  for (const name of names) {
    if (!taken.leaveRoomFor(name)) return true;
    taken.add(name);
  }
  return false;
}

// Which refs of the head keep new ones from being made, because one name would be a leading directory of the other.
import { nameFromBytes, type RefName, toBytes } from "../domain.ts";
import { askOne, type Database } from "./database/database.ts";

export interface Neighbours {
  /** Names to look for. */
  readonly above: readonly RefName[];
  /** Names below which to look, and how many refs to name at most. */
  readonly below: readonly { readonly name: RefName; readonly most: number }[];
}

/** Those names of `above` that exist, and the first refs below each name of `below`. */
export async function refsInTheWay(
  db: Database,
  repositoryId: string,
  { above, below }: Neighbours,
): Promise<RefName[]> {
  const { names } = await askOne<{ names: Buffer[] }>(
    db.work,
    "select lockstep.refs_in_the_way($1, $2, $3, $4) as names",
    [repositoryId, above.map(toBytes), below.map(({ name }) => toBytes(name)), below.map(({ most }) => most)],
  );
  return names.map(nameFromBytes);
}

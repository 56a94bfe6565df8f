// Finds refs of the head that keep new refs from being made. git refuses a name that would be a leading directory of
// another.
import { nameFromBytes, type RefName, toBytes } from "../../domain.ts";
import { type Database, queryRepeatableRow } from "../database/database.ts";

export interface Neighbours {
  /** Names to look for. */
  readonly above: readonly RefName[];
  /** Names below which to look, each with how many refs to return at most. */
  readonly below: readonly { readonly name: RefName; readonly most: number }[];
}

/** Returns the names of `above` that exist, and the first refs below each name of `below`. */
export async function refsInTheWay(
  db: Database,
  repositoryId: string,
  { above, below }: Neighbours,
): Promise<RefName[]> {
  const { names } = await queryRepeatableRow<{ names: Buffer[] }>(
    db.work,
    "select lockstep.refs_in_the_way($1, $2, $3, $4) as names",
    [repositoryId, above.map(toBytes), below.map(({ name }) => toBytes(name)), below.map(({ most }) => most)],
  );
  return names.map(nameFromBytes);
}

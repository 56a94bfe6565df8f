// Finds by halves the refs that git refuses, where nothing else tells.
import type { RefAuthor, RefName } from "../../domain.ts";
import { isLocked, type RefCommand, RefTransaction, type Refusal } from "../../git/transactions/ref-transaction.ts";
import type { SyncContext } from "../device/context.ts";
import type { Replica } from "../device/replica.ts";

/** How many gits are tried. For a ref that is locked each of them waits a tenth of a second. */
const HALVING_LIMIT = 32;

/**
 * Finds by halves which commands git refuses for reasons that `examine` does not know, such as a stray file in the way
 * or a lock. Costs a bounded number of gits. Refs that were not told apart by then count as refused.
 */
export async function halve(
  context: SyncContext,
  replica: Replica,
  all: readonly RefCommand[],
  author: RefAuthor,
): Promise<Map<RefName, string>> {
  const reasons = new Map<RefName, string>();
  let gits = 0;
  const look = async (commands: readonly RefCommand[]): Promise<void> => {
    gits += 1;
    await using transaction = new RefTransaction(context.git, replica.gitDir, { count: commands.length, author });
    const refusal = await transaction.prepare(commands);
    if (refusal === undefined) return;
    const half = Math.ceil(commands.length / 2);
    if (commands.length === 1 || gits >= HALVING_LIMIT)
      for (const { name } of commands) reasons.set(name, reasonOf(refusal));
    else for (const part of [commands.slice(0, half), commands.slice(half)]) await look(part);
  };
  await look(all);
  return reasons;
}

/**
 * Returns true when git found another value on disk than the log says, or cannot read the disk: the disk must be
 * compared.
 */
export function contradictsLog({ message }: Refusal): boolean {
  return (
    /is at .* but expected|reference already exists|reference is missing|unable to resolve reference/.test(message) ||
    /^reftable: .*(corrupt reftable file|file does not exist)/.test(message)
  );
}

/** Returns why git refused, in the words of its receive-pack where it has some. */
export function reasonOf(refusal: Refusal): string {
  const { message } = refusal;
  if (isLocked(refusal)) return "locked by another git process on the server, try again";
  if (/exists; cannot create/.test(message)) return "conflicts with an existing ref";
  if (/non-commit object/.test(message)) return "not a commit";
  if (/nonexistent object/.test(message)) return "missing object";
  if (/invalid ref format/.test(message)) return "funny refname";
  return message.split("\n")[0]?.slice(0, 200) || "failed to update ref";
}

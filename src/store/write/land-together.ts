// Decides several writes of one device by one statement.
import { type Incarnation, type RefUpdate, toBytes, type Version } from "../../domain.ts";
import { type Database, queryRepeatableRow } from "../database/database.ts";
import type { WriteIdentity } from "./writes.ts";

/** Writes that nobody has staged, to one repository, in their order. No two of them name the same ref. */
export interface LandTogetherRequest {
  readonly repositoryId: string;
  /** The version that the device holds, and its digest. */
  readonly base: Version;
  readonly baseDigest: Buffer;
  readonly writes: readonly (WriteIdentity & {
    readonly updates: readonly RefUpdate[];
    /** What the updates add to the digest (`differenceOf`). */
    readonly difference: Buffer;
  })[];
}

/**
 * Decides the writes, all or none. Returns their versions, in their order: that is final, and every later call returns
 * them. undefined: this call has landed none. Then, and after every error, the caller must ask the row of each write
 * with `settleWrite`.
 */
export async function landTogether(
  db: Database,
  me: Incarnation,
  { repositoryId, base, baseDigest, writes }: LandTogetherRequest,
): Promise<Version[] | undefined> {
  const refs = writes.flatMap(({ updates }, index) => updates.map((update) => ({ ...update, place: index + 1 })));
  const { outcome, versions } = await queryRepeatableRow<{ outcome: string; versions: string[] | null }>(
    db.work,
    "select outcome, versions from lockstep.bump_together($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    [
      writes.map(({ writeId }) => writeId),
      repositoryId,
      me.device,
      me.fence,
      base,
      baseDigest,
      writes.map(({ author }) => author),
      writes.map(({ difference }) => difference),
      refs.map(({ place }) => place),
      refs.map(({ name }) => toBytes(name)),
      refs.map(({ oldValue }) => (oldValue === null ? null : toBytes(oldValue))),
      refs.map(({ newValue }) => (newValue === null ? null : toBytes(newValue))),
    ],
    { decides: true },
  );
  return outcome === "landed" ? versions?.map((version): Version => BigInt(version)) : undefined;
}

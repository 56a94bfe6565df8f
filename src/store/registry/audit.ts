// The audit: acts of operators and refused credentials. The table only grows, and each row has a hash over the row
// before it (migrations/functions/chain_audit.sql).
import { type Database, queryOnce, queryRepeatable } from "../database/database.ts";
import { dated, epochMs } from "../database/instant.ts";
import { inSnapshot } from "../database/snapshot.ts";

/** A row to add. */
export interface Act {
  readonly author: string;
  readonly action: string;
  readonly repository?: string | undefined;
  readonly device?: string | undefined;
  /** `done`, or the code of the error. */
  readonly result: string;
  readonly detail: object;
}

export interface AuditRow {
  readonly id: bigint;
  readonly at: Date;
  readonly author: string;
  readonly action: string;
  readonly repository: string | null;
  readonly device: string | null;
  readonly result: string;
  /** JSON. */
  readonly detail: string;
}

/** Adds rows, in their order. May not be repeated. */
export async function insertAudit(db: Database, acts: readonly Act[]): Promise<void> {
  await queryOnce(
    db.work,
    `insert into lockstep.audit (author, action, repository, device, result, detail)
     select a ->> 'author', a ->> 'action', a ->> 'repository', a ->> 'device', a ->> 'result', a -> 'detail'
     from jsonb_array_elements($1::jsonb) with ordinality e (a, place) order by place`,
    [JSON.stringify(acts)],
  );
}

/** Returns rows after `after`, and since `since` (in ms, 0: all), oldest first. `newest`: the last ones of them. */
export async function listAudit(
  db: Database,
  { after, since, limit, newest }: { after: bigint; since: number; limit: number; newest: boolean },
): Promise<AuditRow[]> {
  const rows = await queryRepeatable(
    db.work,
    `select * from (
       select id, ${epochMs("at")} as at, author, action, repository, device, result, detail::text as detail
       from lockstep.audit where id > $1 and at >= 'epoch'::timestamptz + $2::int8 * interval '1 millisecond'
       order by id ${newest ? "desc" : ""} limit $3) page order by id`,
    [after, since, limit],
  );
  return rows.map((row) => dated<AuditRow>(row, "at"));
}

/** The end of the chain, as somebody has noted it. */
export interface ChainEnd {
  readonly id: bigint;
  /** In hex. */
  readonly hash: string;
}

export interface Verification {
  readonly rows: bigint;
  readonly first: bigint;
  readonly end: ChainEnd;
  /** The first row that is wrong. `changed`: it, or a hash. `missing`: it is not there. */
  readonly problem: { readonly id: bigint; readonly what: "changed" | "missing" | "cut" | "replaced" } | null;
}

const PAGE = 5_000;

/**
 * Follows the whole chain. `through`: the chain must have had this end once. "cut": rows were cut off, and no row says
 * so. "replaced": it is another chain than the one that had the noted end.
 */
export async function verifyAudit(db: Database, through: ChainEnd | undefined): Promise<Verification> {
  return await inSnapshot(db.work, async (ask) => {
    const [chain] = await ask<{ id: bigint; hash: string; base: bigint; base_hash: string; told: boolean }>(
      `select c.id, encode(c.hash, 'hex') as hash, c.base_id as base, encode(c.base_hash, 'hex') as base_hash,
         c.base_id = 0 and c.base_hash = decode(repeat('00', 32), 'hex') or exists (
           select from lockstep.audit a where a.action = 'cut audit'
             and a.detail ->> 'through' = c.base_id::text and a.detail ->> 'hash' = encode(c.base_hash, 'hex')) as told
       from lockstep.audit_chain c`,
      [],
    );
    if (chain === undefined) throw new Error("the chain of the audit has no row");
    let at: ChainEnd = { id: chain.base, hash: chain.base_hash };
    const result = (problem: Verification["problem"]): Verification => ({
      rows: at.id - chain.base,
      first: chain.base + 1n,
      end: at,
      problem,
    });
    if (!chain.told) return result({ id: chain.base + 1n, what: "cut" });
    for (;;) {
      const [page] = await ask<{
        last: bigint;
        hash: string;
        problem: "changed" | "missing" | null;
        noted: string | null;
      }>(
        `select v.last, encode(v.hash, 'hex') as hash, v.problem,
           (select encode(a.hash, 'hex') from lockstep.audit a where a.id = $4 and a.id > $1 and a.id <= v.last) as noted
         from lockstep.verify_audit($1, decode($2, 'hex'), $3) v`,
        [at.id, at.hash, PAGE, through?.id ?? 0n],
      );
      if (page === undefined) throw new Error("verify_audit has no answer");
      const before = at;
      at = { id: page.last, hash: page.hash };
      if (page.problem !== null) return result({ id: at.id + 1n, what: page.problem });
      if (through && page.noted !== null && page.noted !== through.hash)
        return result({ id: through.id, what: "replaced" });
      if (at.id === before.id) break;
    }
    if (at.id !== chain.id || (through && through.id > at.id)) return result({ id: at.id + 1n, what: "missing" });
    return result(at.hash === chain.hash ? null : { id: at.id, what: "changed" });
  });
}

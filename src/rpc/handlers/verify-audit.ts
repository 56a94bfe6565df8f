import { LockstepError } from "../../errors.ts";
import type { VerifyAuditRequest__Output as Request } from "../../generated/lockstep/v1/VerifyAuditRequest.ts";
import type { VerifyAuditResponse as Response } from "../../generated/lockstep/v1/VerifyAuditResponse.ts";
import { type ChainEnd, type Verification, verifyAudit as verify } from "../../store/registry/audit.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { checkedPosition } from "../encode/request-ids.ts";

export const verifyAudit =
  (context: SyncContext) =>
  async (request: Request): Promise<Response> => {
    const { rows, first, end, problem } = await verify(context.db, endOf(request.through));
    return {
      rows: String(rows),
      first: String(first),
      last: String(end.id),
      end: `${end.id}:${end.hash}`,
      problem: problem === null ? "" : describeProblem(problem),
    };
  };

function endOf(text: string): ChainEnd | undefined {
  if (text === "") return undefined;
  const [, id, hash] = /^(\d{1,19}):([0-9a-f]{64})$/.exec(text.trim()) ?? [];
  if (id !== undefined && hash !== undefined) return { id: checkedPosition(id), hash };
  throw new LockstepError(
    "INVALID_REQUEST",
    `${JSON.stringify(text.slice(0, 90))} is no end of the chain; give the one that an earlier \`lockstep audit --verify\` printed.`,
  );
}

function describeProblem({ id, what }: NonNullable<Verification["problem"]>): string {
  switch (what) {
    case "changed":
      return `Row ${id} was changed after it was written.`;
    case "missing":
      return `Row ${id} was removed.`;
    case "cut":
      return `The rows before ${id} were removed, and not by the retention.`;
    case "replaced":
      return `Row ${id} is not the one that was noted: the chain was written anew.`;
  }
}

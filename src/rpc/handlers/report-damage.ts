import type { ReportDamageRequest__Output as Request } from "../../generated/lockstep/v1/ReportDamageRequest.ts";
import type { ReportDamageResponse as Response } from "../../generated/lockstep/v1/ReportDamageResponse.ts";
import { repositoryName } from "../../names.ts";
import { findRepository } from "../../store/repository/repositories.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { suspectDamage } from "../../sync/upkeep/suspect-damage.ts";

export const reportDamage =
  (context: SyncContext) =>
  async (request: Request): Promise<Response> => {
    const { id, name } = await findRepository(context.db, repositoryName(request.repository));
    return { ordered: await suspectDamage(context, { id, name }, request.said) };
  };

import type { ReportRefusalsRequest__Output as Request } from "../../generated/lockstep/v1/ReportRefusalsRequest.ts";
import type { ReportRefusalsResponse as Response } from "../../generated/lockstep/v1/ReportRefusalsResponse.ts";
import type { CallOptions } from "../call/call.ts";

export const reportRefusals =
  ({ onRefused }: Pick<CallOptions, "onRefused">) =>
  async ({ refused }: Request): Promise<Response> => {
    for (const { user, address, way, forbidden, why, count } of refused) {
      const code = forbidden ? "PERMISSION_DENIED" : "UNAUTHENTICATED";
      onRefused({ who: user && `user ${user}`, from: address, way, code, why }, count || 1);
    }
    return {};
  };

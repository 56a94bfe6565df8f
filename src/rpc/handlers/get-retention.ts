import type { GetRetentionResponse as Response } from "../../generated/lockstep/v1/GetRetentionResponse.ts";
import { readKeeps } from "../../store/retention/keep-times.ts";
import { listKept } from "../../store/retention/kept-space.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { encodeKept, encodeRules } from "../encode/encode-retention.ts";

export const getRetention = (context: Pick<SyncContext, "db">) => async (): Promise<Response> => {
  const [keeps, kept] = await Promise.all([readKeeps(context.db), listKept(context.db)]);
  return { rules: encodeRules(keeps), kept: kept.map(encodeKept) };
};

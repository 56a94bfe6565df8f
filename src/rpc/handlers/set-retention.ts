import type { SetRetentionRequest__Output as Request } from "../../generated/lockstep/v1/SetRetentionRequest.ts";
import type { SetRetentionResponse as Response } from "../../generated/lockstep/v1/SetRetentionResponse.ts";
import { readKeeps, setKeep } from "../../store/retention/keep-times.ts";
import { parseKeep, type SubjectName } from "../../store/retention/subjects.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { authorAndReason } from "../call/author-and-reason.ts";
import type { CallContext } from "../call/call.ts";
import { encodeRules } from "../encode/encode-retention.ts";

export const setRetention =
  (context: Pick<SyncContext, "db">) =>
  async ({ subject, keep, author }: Request, { caller }: CallContext): Promise<Response> => {
    // Also refuses a subject that there is not.
    parseKeep(subject, keep || (subject === "log" ? "1" : "1d"));
    await setKeep(context.db, subject as SubjectName, keep || null, authorAndReason({ author }, caller).author);
    return { rules: encodeRules(await readKeeps(context.db)) };
  };

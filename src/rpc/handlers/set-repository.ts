import { LockstepError } from "../../errors.ts";
import type { SetRepositoryRequest__Output as Request } from "../../generated/lockstep/v1/SetRepositoryRequest.ts";
import type { SetRepositoryResponse as Response } from "../../generated/lockstep/v1/SetRepositoryResponse.ts";
import { deviceName, repositoryName } from "../../names.ts";
import { toMs } from "../../protocol/times.ts";
import { notifyCommands } from "../../store/command/commands.ts";
import type { Placement } from "../../store/replica/placement.ts";
import { replicasOf } from "../../store/replica/replicas.ts";
import { findRepository, setRepository as set, setUpdateLimit } from "../../store/repository/repositories.ts";
import { setKeepLog } from "../../store/retention/keep-times.ts";
import { parseKeep } from "../../store/retention/subjects.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { copiesOf } from "../../sync/operator/create-repository.ts";
import { authorAndReason } from "../call/author-and-reason.ts";
import type { CallContext } from "../call/call.ts";
import { encodeRepository } from "../encode/encode.ts";

export const setRepository =
  (context: SyncContext) =>
  async (request: Request, { caller }: CallContext): Promise<Response> => {
    const change = {
      minCopies: request.minCopies === undefined ? null : copiesOf(request.minCopies),
      landWithFewer: request.landWithFewer ?? null,
      serial: request.serial ?? null,
      ...(request.placement && { placement: placementOf(request.placement) }),
      ...(request.keepDays !== undefined && { keepDays: daysOf(request.keepDays) }),
      author: authorAndReason({ author: request.author }, caller).author,
    };
    const name = repositoryName(request.repository);
    const keepLog = request.keepLog && parseKeep("log", request.keepLog);
    const asked = toMs(request.updateLimit as never);
    const limitMs = asked === undefined ? undefined : checkLimit(asked);
    // Only this may be refused, so it comes first: a log that was shortened stays so.
    const { id } = await set(context.db, name, change);
    if (limitMs !== undefined) await setUpdateLimit(context.db, name, limitMs);
    if (keepLog !== undefined) await setKeepLog(context.db, name, keepLog || null);
    if (request.placement) await tellDevices(context, id);
    return { repository: encodeRepository(await findRepository(context.db, name)) };
  };

/** The shortest and the longest time that an operator may give one update of a replica. */
const LIMITS_MS = [1_000, 20 * 86_400_000] as const;

function checkLimit(ms: number): number | null {
  if (ms === 0 || (ms >= LIMITS_MS[0] && ms <= LIMITS_MS[1])) return ms || null;
  throw new LockstepError("INVALID_REQUEST", "An update limit is from 1 second to 20 days, or 0 for the default.");
}

/** Tells devices that they have a copy to make or to give up. Without this they find it by polling. */
async function tellDevices(context: SyncContext, repositoryId: string): Promise<void> {
  context.announcer.announce(repositoryId);
  const unwanted = (await replicasOf(context.db, repositoryId)).filter(({ wanted }) => !wanted);
  await notifyCommands(
    context.db,
    unwanted.map(({ device }) => device),
  );
}

function placementOf({ all, devices }: NonNullable<Request["placement"]>): Placement {
  if (all === devices.length > 0)
    throw new LockstepError("INVALID_REQUEST", "A placement is either all devices or the names of some.");
  return all ? null : devices.map(deviceName);
}

const DAYS_LIMIT = 3_650;

function daysOf(days: number): number {
  if (days <= DAYS_LIMIT) return days;
  throw new LockstepError("INVALID_REQUEST", `Removed files are kept for at most ${DAYS_LIMIT} days.`);
}

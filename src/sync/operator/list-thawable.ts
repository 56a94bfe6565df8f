// Finds the repositories for `thaw --all`: those about which an operator has to decide, and can with these devices.
import { findDevice } from "../../store/device/devices.ts";
import { listAwayWith, listDemotable, listPromotable } from "../../store/operator/thawable.ts";
import type { SyncContext } from "../device/context.ts";
import { since } from "../objects/fetch-objects.ts";
import type { ThawAction } from "./thaw.ts";
import { thawRefusedError } from "./thaw-plan.ts";

/** Returns the names. Throws DEVICE_NOT_FOUND, and THAW_REFUSED when a device that is away may have more. */
export async function listThawable(context: SyncContext, action: ThawAction): Promise<string[]> {
  const { db, me } = context;
  if ("demote" in action) {
    for (const name of action.demote) {
      const { live } = await findDevice(db, name);
      if (live)
        throw thawRefusedError(
          `Device ${name} is live, so its versions may not be lost; if its disk is lost, stop its sidecar first.`,
        );
    }
    // Whether another device that is away has more is a question for each plan (thaw-demote.ts).
    return await listDemotable(db, action.demote);
  }
  const { promote } = action;
  await findDevice(db, promote);
  if (promote !== me.device)
    throw thawRefusedError(`Only device ${promote} sees its disk; run this there, beside its sidecar.`);
  const names = await listPromotable(db, promote);
  const [away] = await listAwayWith(db, names);
  // The database has lost writes, so no row tells how far that disk is.
  if (away !== undefined)
    throw thawRefusedError(
      `Device ${away.device}, away${since(away.awaySince)}, has ${away.repository} too and may have more of it; start it, or remove it with \`lockstep device remove ${away.device}\`.`,
      away.repository,
    );
  return names;
}

// The errors of a device that sends no more packs for now, or not this one.
import { LockstepError } from "../../errors.ts";
import { FairPlaces, type PlaceLimits } from "../../fair-places.ts";

/** Makes the error QUEUE_FULL. `ask`: the devices that may be asked instead. */
export function busyError(device: string, why: string, ask: readonly string[] = []): LockstepError {
  return new LockstepError("QUEUE_FULL", `Device ${device} ${why}; ask another.`, {
    details: { device, ask: ask.join(" ") },
  });
}

/** Makes the places for packs of a device, over the pack stream and stock git together. A caller is a device. */
export function packPlaces(device: string, limits: PlaceLimits): FairPlaces {
  return new FairPlaces(limits, ({ all }) => busyError(device, `sends ${all} packs already`));
}

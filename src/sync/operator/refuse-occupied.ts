// A repository that gets a name hides nothing: no live device may have something at its place.
import { LockstepError } from "../../errors.ts";
import { isTaken } from "../../git/beside/place.ts";
import { unknownNamed } from "../../store/adopt/unknown-directories.ts";
import { type Leaving, movingFrom } from "../../store/repository/former-names.ts";
import { isRepository, repositoryExistsError } from "../../store/repository/repositories.ts";
import { WAITS } from "../../waits.ts";
import { askOthers } from "../adopt/ask-others.ts";
import type { SyncContext } from "../device/context.ts";
import { replicaPath } from "../device/replica.ts";

interface Occupied {
  readonly device: string;
  readonly path: string;
}

/**
 * Throws DIRECTORY_EXISTS when something lies at the place of a name, here or on another live device. Throws
 * REPOSITORY_EXISTS when it is the replica of a repository of that name. `own`: the repository that gets the name; its
 * own directory may still lie there, because it had the name before.
 */
export async function refuseOccupied(
  context: SyncContext,
  name: string,
  signal: AbortSignal,
  own?: string,
): Promise<void> {
  const seen = new Set<string>();
  for (let again = true; again; ) {
    again = false;
    for (const occupied of await occupiedPlaces(context, name, signal)) {
      const moving = await movingFrom(context.db, occupied.device, name);
      if (moving !== undefined && moving.id === own) continue;
      // A replica leaves its place, and then the database forgets that it was there. Both may have happened since this
      // device looked, so it looks once more.
      if (moving !== undefined || seen.has(occupied.device)) await refuse(context, name, occupied, moving);
      seen.add(occupied.device);
      again = true;
    }
  }
}

/** Returns where something lies at the place of a name. */
async function occupiedPlaces(context: SyncContext, name: string, signal: AbortSignal): Promise<Occupied[]> {
  const path = replicaPath(context.root, name);
  const here = (await isTaken(path)) ? [{ device: context.me.device, path }] : [];
  return [...here, ...(await elsewhere(context, name, signal))];
}

/** Throws the error about an occupied place. `moving`: the replica that lies there and will move, if one does. */
async function refuse(
  context: SyncContext,
  name: string,
  occupied: Occupied,
  moving: Leaving | undefined,
): Promise<never> {
  // Two calls at once may create it: the other one has made the directory.
  if (await isRepository(context.db, name)) throw repositoryExistsError(name);
  const { device, path } = occupied;
  throw new LockstepError(
    "DIRECTORY_EXISTS",
    moving === undefined
      ? `Device ${device} has ${path}, which the database does not know; take it in with ` +
          `\`lockstep repo adopt ${name}\` on that device, or move it away (an empty directory: rmdir).`
      : moving.removed
        ? `Device ${device} still has the replica of the repository at ${path} that was removed a moment ago; try again.`
        : `Device ${device} still has the replica of ${moving.name} at ${path}, because that was renamed a moment ago; try again.`,
    { details: { repository: name, ...occupied } },
  );
}

async function elsewhere(context: SyncContext, name: string, signal: AbortSignal): Promise<Occupied[]> {
  const { answers, silent } = await askOthers(context, { repository: name }, { signal, patienceMs: WAITS.occupiedMs });
  const found = answers.filter((answer) => answer.exists).map(({ device, path }) => ({ device, path }));
  if (silent.length === 0) return found;
  context.log.warn({ repository: name, silent }, "some devices did not say whether they have a directory of that name");
  const scanned = (await unknownNamed(context.db, name)).filter(({ device }) =>
    silent.some((each) => each.device === device),
  );
  return [...found, ...scanned.map(({ device, path }) => ({ device, path }))];
}

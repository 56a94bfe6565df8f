// How long a catch-up may take, and how long nothing may move.
import { LockstepError } from "../../errors.ts";
import { WAITS } from "../../waits.ts";
import type { Replica } from "../device/replica.ts";
import { noteOf } from "../replica/prepare-directory.ts";

/** However much moves, a catch-up is given up after this time. An operator may set another one for a repository. */
const UPDATE_LIMIT_MS = 15 * 60_000;
const FIRST_COPY_LIMIT_MS = 4 * 3_600_000;

/** Aborts a catch-up when it has taken too long. */
export function limitFlight(replica: Replica, abort: (reason: unknown) => void): Disposable {
  let timer: NodeJS.Timeout | undefined;
  let over = false;
  const begin = (limitMs: number) => {
    if (!over) timer = setTimeout(() => abort(tooLongError(replica, limitMs)), limitMs);
  };
  if (replica.updateLimitMs !== null) begin(replica.updateLimitMs);
  else if (replica.applied !== undefined) begin(UPDATE_LIMIT_MS);
  else void noteOf(replica).then((note) => begin(note ? UPDATE_LIMIT_MS : FIRST_COPY_LIMIT_MS));
  return {
    [Symbol.dispose]: () => {
      over = true;
      clearTimeout(timer);
    },
  };
}

function tooLongError({ name }: Replica, limitMs: number): LockstepError {
  return new LockstepError(
    "CATCH_UP_TIMEOUT",
    `The catch-up of ${name} took longer than ${Math.round(limitMs / 1000)} s and was given up; ` +
      `\`lockstep repo set ${name} --update-limit\` gives it more time.`,
    { details: { repository: name } },
  );
}

/** Makes CATCH_UP_TIMEOUT for a catch-up in which nothing moved. */
export function nothingMovedError({ name }: Replica): LockstepError {
  const seconds = WAITS.motionlessMs / 1000;
  return new LockstepError(
    "CATCH_UP_TIMEOUT",
    `Nothing has moved in the catch-up of ${name} for ${seconds} s; see whether the disk of this device hangs, and try again.`,
    { details: { repository: name } },
  );
}

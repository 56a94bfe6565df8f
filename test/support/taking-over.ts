// Sidecars that take devices over, as rows of the database of the file (file-database.ts).
import { randomUUID } from "node:crypto";
import { queryOnce } from "../../src/store/database/database.ts";
import { type TakeOver, type TakeOverRequest, takeOver } from "../../src/store/device/device-lease.ts";
import { db } from "./file-database.ts";

/** Another sidecar starts: on a root of its own unless one is given. */
export function request(given: Partial<TakeOverRequest> = {}): TakeOverRequest {
  return {
    device: `d-${randomUUID()}`,
    incarnation: randomUUID(),
    rootId: randomUUID(),
    grpcAddress: "repo001:7420",
    gitAddress: "repo001:7421",
    zone: "a",
    ...given,
  };
}

/** Takes a device over. */
export async function taken(asked: TakeOverRequest): Promise<Extract<TakeOver, { outcome: "taken" }>> {
  const answer = await takeOver(db, asked);
  if (answer.outcome !== "taken") throw new Error(`the device is ${answer.outcome}`);
  return answer;
}

/** Lets the lease run out. */
export async function expire(device: string): Promise<void> {
  await queryOnce(db.work, "update lockstep.device set expires_at = clock_timestamp() where name = $1", [device]);
}

import type { GetStatusResponse as Response } from "../../generated/lockstep/v1/GetStatusResponse.ts";
import { toTimestamp } from "../../protocol/times.ts";
import { listUnknown } from "../../store/adopt/unknown-directories.ts";
import { listDevices } from "../../store/device/devices.ts";
import { listStatus } from "../../store/operator/status.ts";
import { listRefusedKeys } from "../../store/registry/list-identities.ts";
import { listScrubs } from "../../store/replica/scrubs.ts";
import { listKept } from "../../store/retention/kept-space.ts";
import { listWriteStops } from "../../store/write/write-stops.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { encodeWriteStop } from "../encode/encode.ts";
import { encodeDevice } from "../encode/encode-device.ts";
import { encodeKey, encodeWaiting } from "../encode/encode-identity.ts";
import { encodeKept } from "../encode/encode-retention.ts";
import { encodeScrub } from "../encode/encode-scrub.ts";

const LIMIT = 1_000;
const OVERDUE = 1.5;

export const getStatus = (context: SyncContext) => async (): Promise<Response> => {
  // A scrub may wait for its turn behind others.
  const overdueDays = context.upkeep.scrubDays * OVERDUE;
  const [devices, repositories, writeLocks, unknown, kept, scrubs, keys] = await Promise.all([
    listDevices(context.db),
    listStatus(context.db, LIMIT),
    listWriteStops(context.db),
    listUnknown(context.db, LIMIT),
    listKept(context.db),
    listScrubs(context.db, overdueDays, LIMIT),
    listRefusedKeys(context.db),
  ]);
  return {
    devices: devices.map(encodeDevice),
    repositories: repositories.map(({ head, stopped, author, landedAt, ...row }) => ({
      ...row,
      landedAt: landedAt === null ? null : toTimestamp(landedAt),
      headVersion: String(head),
      stopped: stopped ?? "",
    })),
    writeLocks: writeLocks.map(encodeWriteStop),
    warnings: [...context.warnings()],
    kept: kept.map(encodeKept),
    scrubs: scrubs.map(encodeScrub),
    waitingKeys: keys.waiting.map(encodeWaiting),
    revokedKeys: keys.credentials.map(encodeKey),
    unknown: unknown.map(({ device, path, repository, version }) => ({
      device,
      path,
      repository,
      version: String(version ?? 0n),
    })),
  };
};

// GetVersion: this replica's version beside the cluster's.
import type { ReplicaState, Version } from "../../domain.ts";
import { readDigest } from "../../store/log/ref-log.ts";
import { noReplicaError, replicasOf } from "../../store/replica/replicas.ts";
import { currentWriter, type Write } from "../../store/write/find-write.ts";
import type { SyncContext } from "../device/context.ts";
import { locate } from "./before-read.ts";

export interface VersionAnswer {
  readonly version: Version;
  readonly head: Version;
  readonly leaders: string[];
  readonly writer: Write | null;
  readonly digest: Buffer;
  readonly state: ReplicaState;
}

/** Returns the versions of a repository. Throws REPOSITORY_NOT_FOUND, REPLICA_NOT_FOUND, DATABASE_UNAVAILABLE. */
export async function readVersion(context: SyncContext, name: string): Promise<VersionAnswer> {
  const { replica, found } = await locate(context, name);
  const head = found.version;
  const [rows, writer] = await Promise.all([replicasOf(context.db, replica.id), currentWriter(context.db, replica.id)]);
  const mine = rows.find((row) => row.device === context.me.device);
  if (mine === undefined) throw noReplicaError(context.me.device, name);
  // The version in this process is newer than the recorded one.
  const version = replica.applied ?? mine.version;
  const newest = head > version ? head : version;
  const leaders = rows
    .filter((row) => row.state === "active" && (row.device === context.me.device ? version : row.version) >= newest)
    .map((row) => row.device);
  const digest = (await readDigest(context.db, replica.id, version)) ?? Buffer.alloc(0);
  return { version, head: newest, leaders, writer, digest, state: mine.state };
}

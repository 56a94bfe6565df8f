// The replicas of a repository as one value in a statement that asks for something else too. A catch-up then needs no
// statement of its own for the devices that may send objects.
import { AWAY_SINCE } from "../device/device-lease.ts";
import type { ReplicaRow } from "./replicas.ts";

/** What decides whether a device is asked for objects, and how it is reached. */
export type SourceRow = Pick<
  ReplicaRow,
  "device" | "version" | "state" | "live" | "awaySince" | "gitAddress" | "sshAddress" | "sshUser" | "zone"
>;

/** The value of `SOURCES`. Versions are text, because JSON's numbers are not exact. */
export type SourceDocument = readonly (readonly [
  device: string,
  version: string,
  state: ReplicaRow["state"],
  live: boolean,
  awaySince: number | null,
  gitAddress: string,
  sshAddress: string,
  sshUser: string,
  zone: string,
])[];

/** SQL: all replicas of the repository `r`, by device, as a document. null: there are none. */
export const SOURCES = `(select json_agg(json_build_array(p.device, p.version::text, p.state,
    d.expires_at > clock_timestamp(), ${AWAY_SINCE}, d.git_address, d.ssh_address, d.ssh_user, d.zone) order by p.device)
  from lockstep.replica p join lockstep.device d on d.name = p.device and d.removed_at is null
  where p.repository_id = r.id)`;

/** Returns the rows of a document. */
export function sourcesOf(document: SourceDocument | null): SourceRow[] {
  return (document ?? []).map(
    ([device, version, state, live, awaySince, gitAddress, sshAddress, sshUser, zone]): SourceRow => ({
      ...{ device, version: BigInt(version), state, live, gitAddress, sshAddress, sshUser, zone },
      awaySince: awaySince === null ? null : new Date(awaySince),
    }),
  );
}

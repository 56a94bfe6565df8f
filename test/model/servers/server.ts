// Models the statements of the database, each in one step. Stands for migrations/functions/.
import { type Data, type Row, type ServerId, type ServerModel, type State, TTL } from "./state.ts";

export const keeps = (model: ServerModel, rule: Parameters<ServerModel["off"]["has"]>[0]): boolean =>
  !model.off.has(rule);

/** Returns whether a commit that waits for the standby returns by itself. */
export function confirms(state: State, server: ServerId): boolean {
  return server === 1 ? state.promoted : !state.away && !state.promoted;
}

/** Returns whether a server takes itself for the primary. */
export function isPrimary(state: State, server: ServerId): boolean {
  return server === 0 || state.promoted;
}

/** Commits a change on a server, and also on the standby while it is connected. */
export function commit(state: State, server: ServerId, change: (data: Data) => void): void {
  change(state.servers[server]);
  if (server === 0 && confirms(state, 0)) state.servers[1] = { ...state.servers[0] };
}

export function timelineOf(server: ServerId): number {
  return server + 1;
}

export function clockOf(model: ServerModel, state: State, server: ServerId): number {
  return server === 0 ? state.now - model.skew : state.now;
}

export function rowOf(data: Data, write: number): Row["status"] | undefined {
  return data.rows.find(([known]) => known === write)?.[1];
}

export function setRow(data: Data, write: number, status: Row["status"]): void {
  data.rows = [...data.rows.filter(([known]) => known !== write), [write, status] as const].sort(([a], [b]) => a - b);
}

/** lockstep.note_timeline */
function noteTimeline(model: ServerModel, state: State, server: ServerId, data: Data): void {
  const here = timelineOf(server);
  if (data.timeline === here) return;
  data.timeline = here;
  data.since = clockOf(model, state, server);
  const last = (timeline: number) =>
    Math.max(...data.leases.filter((each) => each.timeline === timeline).map(({ expires }) => expires - TTL));
  data.leases = data.leases.map((lease) => {
    const reference = keeps(model, "own-clock") ? last(lease.timeline) : data.since - TTL;
    return lease.expires <= reference ? { ...lease, timeline: here } : lease;
  });
}

/** lockstep.old_leases_end: whether a device may still go by another server. */
export function oldLeases(model: ServerModel, state: State, server: ServerId, data: Data): boolean {
  noteTimeline(model, state, server, data);
  if (!keeps(model, "old-leases") || data.since < 0 || data.since + TTL <= clockOf(model, state, server)) return false;
  return data.leases.some(({ timeline }) => timeline !== data.timeline);
}

/** lockstep.renew_lease: `says` is whose word counts for the device. */
export function renew(
  model: ServerModel,
  state: State,
  server: ServerId,
  data: Data,
  { device, says }: { device: number; says: number },
): void {
  noteTimeline(model, state, server, data);
  const here = timelineOf(server);
  const expires = clockOf(model, state, server) + TTL;
  data.leases = data.leases.map((lease, index) => {
    if (index !== device) return lease;
    return { expires, timeline: says === here || !keeps(model, "says-it-left") ? here : lease.timeline };
  });
}

/** lockstep.stage_write. False: nothing is staged. */
export function stage(model: ServerModel, state: State, server: ServerId, data: Data, write: number, base: number) {
  if (oldLeases(model, state, server, data) || data.stopped || data.log.length !== base) return false;
  if (rowOf(data, write) === undefined) setRow(data, write, "staged");
  return rowOf(data, write) === "staged";
}

/** lockstep.bump, where nothing has landed yet. */
export function bump(
  model: ServerModel,
  state: State,
  server: ServerId,
  data: Data,
  { write, base, atOnce }: { write: number; base: number; atOnce: boolean },
) {
  if (oldLeases(model, state, server, data)) return;
  const row = rowOf(data, write);
  if ((row !== "staged" && !(atOnce && row === undefined)) || data.stopped || data.log.length !== base) return;
  data.log = [...data.log, write];
  setRow(data, write, "landed");
}

/** lockstep.settle_write */
export function settle(model: ServerModel, data: Data, write: number): void {
  const row = rowOf(data, write);
  if (row === "staged" || (row === undefined && keeps(model, "drop-leaves-row"))) setRow(data, write, "dropped");
}

/** Returns whether a disk holds a write that this log does not hold. */
export function isAhead(data: Data, disk: readonly number[]): boolean {
  return disk.some((write, index) => data.log[index] !== write);
}

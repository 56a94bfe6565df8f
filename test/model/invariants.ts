// The invariants of every state, and of the final state without further faults. README.md describes them.
import { isAhead } from "./database.ts";
import { digestAt, fold, foldAtHead, headOf, newestWith } from "./log.ts";
import { objectsAreGone } from "./operator.ts";
import { type Device, digestOf, type Model, NONE, type Process, type State, Violation } from "./state.ts";
import { bit, objectsOf } from "./step.ts";

export function check(model: Model, state: State): void {
  for (const [index, write] of state.writes.entries()) {
    if (write.lost) continue;
    if (write.ack === "ok" && write.status === "dropped")
      throw new Violation(`I2 w${index + 1} was acknowledged and is dropped`);
    if (write.ack === "ng" && write.status === "landed")
      throw new Violation(`I2 w${index + 1} was refused and has landed`);
  }
  for (const [d, device] of state.devices.entries()) checkDisk(model, state, d, device);
  for (const [d, value] of state.owed)
    if (!isKept(state, d, value)) throw new Violation(`I8 d${d} has thrown away what w${value} wrote`);
  const disksLost = model.budget.disks - state.budget.disks;
  if (disksLost < model.minCopies && objectsAreGone(state))
    throw new Violation(`I7 the head needs objects that are on no disk, ${disksLost} of which are lost`);
}

function checkDisk(model: Model, state: State, d: number, device: Device): void {
  const { refs, objects, note, live } = device;
  if ((objectsOf(refs) & ~objects) !== 0) throw new Violation(`I7 d${d} has refs without their objects`);
  const liveWrites = model.off.has("scratch");
  for (const [ref, value] of refs.entries()) {
    const version = newestWith(state, ref, value);
    if (version < 0 && !state.writes[value - 1]!.lost && !liveWrites)
      throw new Violation(`I3 d${d} shows ref${ref} = ${value}, which is not decided`);
    if (note?.sound && version >= 0 && version < state.recorded[d]! && !model.off.has("version-after-refs"))
      throw new Violation(`I5 d${d} has recorded v${state.recorded[d]}, but ref${ref} is of v${version}`);
  }
  if (live && !liveWrites) checkKnowledge(state, d, refs, live);
}

/** Checks that the refs that the process believes to be on disk are there. */
function checkKnowledge(
  state: State,
  d: number,
  refs: readonly number[],
  { applied, held, exact, flight }: Process,
): void {
  if (applied === NONE || flight?.plan) return;
  const said = `I6 d${d} takes its refs [${refs}] for those of v${applied}`;
  if (!exact && digestOf(refs) !== held) {
    const later = state.log.filter(({ version }) => version > applied).flatMap(({ updates }) => updates);
    const wanted = fold(state.log, refs.length, applied);
    const strange = (value: number, ref: number) =>
      value !== wanted[ref] && !later.some(([r, v]) => r === ref && v === value);
    if (refs.some(strange)) throw new Violation(said);
    return;
  }
  if (digestOf(refs) !== held) throw new Violation(said);
  const lost = state.writes.some((write) => write.lost);
  const known = digestAt(state, applied);
  if (!lost && known !== undefined && known !== held) throw new Violation(`${said}, which the log has otherwise`);
}

/** Returns whether a value is on the device's disk: as a ref, below refs/lockstep/, or in a scratch repository. */
function isKept(state: State, d: number, value: number): boolean {
  const { refs, saved, scratch } = state.devices[d]!;
  return refs.includes(value) || ((saved | scratch) & bit(value)) !== 0;
}

/** Checks the final state without further faults: every replica is at the head, and nothing is left over. */
export function checkSettled(model: Model, state: State): void {
  const head = headOf(state);
  const wanted = foldAtHead(state);
  const staged = state.writes.some(({ status }) => status === "staged");
  const told = state.writes.findIndex(({ ack, status, lost }) => ack === "ok" && status !== "landed" && !lost);
  if (told >= 0) throw new Violation(`I2 w${told + 1} was acknowledged and has not landed`);
  if (staged || state.turn.length > 0 || state.shown || state.writeStop !== "off")
    throw unsettled(state, "something waits");
  for (const [d, { live, refs, locks, scratch }] of state.devices.entries()) {
    const ahead = state.ahead[d] || (live && isAhead(model, state, live.applied, live.held, true));
    if (live?.applied !== head || live.push || ahead) throw unsettled(state, `d${d} is not at the head`);
    if (digestOf(refs) !== digestOf(wanted)) throw unsettled(state, `d${d} has other refs`);
    if (locks.some((lock) => lock !== NONE) || scratch !== 0) throw unsettled(state, `d${d} has leftovers`);
    if (state.recorded[d] !== head || state.demoted[d]) throw unsettled(state, `d${d} is not on record`);
  }
}

function unsettled(state: State, why: string): Violation {
  return new Violation(
    `I4 it does not settle: ${why} (head v${headOf(state)}, disks ${JSON.stringify(state.devices.map(({ refs }) => refs))})`,
  );
}

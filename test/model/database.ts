// Models the decisions of the database, each in one step. Stands for the functions of migrations/ and src/store/.
import { digestAt, foldAtHead, headOf } from "./log.ts";
import { differenceOf, digestOf, type Model, NONE, type State, type Update, Violation, type Write } from "./state.ts";
import { clashes, deviceOf, keeps } from "./step.ts";

export type Outcome = "landed" | "fenced" | "dropped" | "stopped" | "turn" | "stale" | "in doubt";
type Refusal = Exclude<Outcome, "landed">;

export function writeOf(state: State, w: number) {
  return state.writes[w - 1]!;
}

/** Returns whether the repository is stopped because a disk is known to be ahead. */
function isStopped(model: Model, state: State): boolean {
  return keeps(model, "ahead-stops-writes") && state.ahead.includes(true);
}

/** Returns whether no write may land, because writes are stopped or a disk is known to be ahead. */
export function refusesStaged(model: Model, state: State): boolean {
  if (isStopped(model, state)) return true;
  return (
    keeps(model, "write-stop-refuses-staged") &&
    (state.writeStop === "refusing staged" || state.writeStop === "returned")
  );
}

/** Returns whether a bump that makes its row is refused by a stop of writes. */
export function refusesAtOnce(model: Model, state: State): boolean {
  return keeps(model, "any-stop") ? state.writeStop !== "off" : refusesStaged(model, state);
}

/**
 * Models the decision, lockstep.bump or lockstep.bump_together. The checks have the order of the code. Stage 2: the
 * first check ran earlier. Stage 3: the look at the stops did.
 */
export function bump(model: Model, state: State, w: number, fence: number, stage: number): Outcome {
  const write = writeOf(state, w);
  const holder = state.turn[0];
  if (stage !== 2 && write.status === "landed") return "landed";
  if (keeps(model, "fence") && state.fences[write.device] !== fence) return "fenced";
  if (write.status === "landed") return "landed";
  const makesRow = write.atOnce && write.status === "new";
  if (isFinal(model, write)) return "dropped";
  if (stage === 3 ? isStopped(model, state) : refusesStaged(model, state)) return "stopped";
  if (makesRow && stage !== 3 && refusesAtOnce(model, state)) return "stopped";
  if (keeps(model, "turn-refuses-others") && holder !== undefined && holder !== w) return "turn";
  if (keeps(model, "session-lease") && write.session && holder !== w) return "turn";
  const refused = refusalOfRefs(model, state, w);
  if (refused !== undefined) return refused;
  // The others have the same device, repository and moment.
  const others = write.group.slice(1);
  const may = others.filter((other) => !isFinal(model, writeOf(state, other)) && !refusalOfRefs(model, state, other));
  if (may.length < others.length && keeps(model, "all-or-none")) return "stale";
  for (const each of [w, ...may]) land(model, state, each);
  return "landed";
}

/** Returns whether a write is dropped, so that it cannot land any more. */
function isFinal(model: Model, { status, atOnce }: Write): boolean {
  return keeps(model, "final-status") && status !== "staged" && !(atOnce && status === "new");
}

/** Returns why the refs of a write forbid that it lands. */
function refusalOfRefs(model: Model, state: State, w: number): Refusal | undefined {
  const write = writeOf(state, w);
  if (isStale(model, state, write)) return "stale";
  const now = foldAtHead(state);
  const lostUpdate = write.refs.some((ref, index) => now[ref] !== write.olds[index]);
  if (keeps(model, "old-values") && lostUpdate) return headOf(state) === write.base ? "in doubt" : "stale";
  if (lostUpdate) throw new Violation(`I2 w${w} lands over a value that its pusher has not seen`);
  const elsewhere = write.sees.some(([ref, value]) => now[ref] !== value);
  if (keeps(model, "seen-values") && elsewhere) return "stale";
  if (elsewhere) throw new Violation(`I2 w${w} lands through an alias that leads elsewhere by now`);
  return undefined;
}

function land(model: Model, state: State, w: number): void {
  const write = writeOf(state, w);
  forbidden(state, w);
  const updates = write.refs.map((ref, index): Update => [ref, write.news[index]!]);
  // The digest of the refs that the device knows, with the write, instead of what the write adds to the digest.
  const whole = keeps(model, "digest-is-sum") ? undefined : write.baseDigest + differenceOf(state.seen.length, write);
  append(state, w, headOf(state) + 1, updates, whole);
  write.status = "landed";
  state.turn = state.turn.filter((ticket) => ticket !== w);
  if (!keeps(model, "version-after-refs")) state.recorded[write.device] = headOf(state);
}

/** Returns whether a write must be looked at again on a newer base. */
function isStale(model: Model, state: State, { session, base, baseDigest, refs, olds, news }: Write): boolean {
  const head = headOf(state);
  if (session && base !== head) return true;
  if (keeps(model, "base-in-log") && (base > head || digestAt(state, base) !== baseDigest)) return true;
  if (base === head || !model.nested || !keeps(model, "conflicts-in-fold")) return false;
  const now = foldAtHead(state);
  return refs.some((ref, index) => olds[index] === 0 && news[index] !== 0 && clashes(now, ref));
}

/** Throws a Violation if a write lands that must not land, independently of the checks above. */
function forbidden(state: State, w: number): void {
  const holder = state.turn[0];
  const write = writeOf(state, w);
  if (state.writeStop === "returned") throw new Violation(`I9 w${w} lands after the stop of writes returned`);
  if (state.ahead.includes(true)) throw new Violation(`I9 w${w} lands while a disk is known to be ahead`);
  if (holder !== undefined && holder !== w && writeOf(state, holder).status === "staged")
    throw new Violation(`I9 w${w} lands during the session w${holder}`);
  if (write.session && holder !== w) throw new Violation(`I9 the session w${w} lands after it lost its lease`);
}

/** Models lockstep.append. */
export function append(
  state: State,
  write: number,
  version: number,
  updates: readonly Update[],
  digest?: number,
): void {
  const refs = foldAtHead(state);
  for (const [ref, value] of updates) refs[ref] = value;
  state.log = [...state.log, { version, write, updates, digest: digest ?? digestOf(refs) }];
  state.owed = state.owed.filter(([, owed]) => updates.every(([, value]) => value !== owed));
}

/** Models lockstep.settle_write: a write that nobody staged gets its row, as dropped. */
export function settle(model: Model, state: State, w: number): void {
  const write = writeOf(state, w);
  if (write.status === "new" && keeps(model, "drop-makes-row")) write.status = "dropped";
  drop(state, w);
}

/**
 * Models what makes the row of a staged write final, as dropped. The changes of a session's caller must be kept from then on.
 */
export function drop(state: State, w: number): void {
  const write = writeOf(state, w);
  if (write.status !== "staged") return;
  write.status = "dropped";
  state.turn = state.turn.filter((ticket) => ticket !== w);
  if (deviceOf(state, write.device).scratch & (1 << w)) state.owed = [...state.owed, [write.device, w]];
}

/** Models lockstep.take_over: sets a new fence, and drops the staged writes and tickets of the old incarnation. */
export function takeOver(state: State, d: number): number {
  const fence = state.fences[d]! + 1;
  state.fences[d] = fence;
  state.writes.forEach((write, index) => {
    if (write.device === d) drop(state, index + 1);
  });
  state.turn = state.turn.filter((w) => writeOf(state, w).device !== d);
  return fence;
}

export function dropAllStaged(state: State): void {
  state.writes.forEach((_, index) => {
    drop(state, index + 1);
  });
  state.turn = [];
}

/** Returns whether a disk with this version and digest holds a version that the database does not know. */
export function isAhead(model: Model, state: State, version: number, digest: number, compares: boolean): boolean {
  if (version === NONE) return false;
  if (keeps(model, "ahead-version") && version > headOf(state)) return true;
  const known = digestAt(state, version);
  return compares && known !== undefined && known !== digest;
}

export function versionOf(state: State, w: number): number {
  return state.log.find(({ write }) => write === w)?.version ?? NONE;
}

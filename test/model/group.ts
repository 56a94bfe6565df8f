// Models pushes that wait for the mutex together, and are decided by one statement. Stands for src/sync/group/.
import { writeOf } from "./database.ts";
import { endLocks, finish, nextOf } from "./finish.ts";
import { foldAtHead } from "./log.ts";
import { type Model, NONE, type Push, type Shape, type State, Violation, type Who } from "./state.ts";
import { bit, deviceOf, keeps, processOf } from "./step.ts";

/** Returns the writes that are decided with a push, its own first. */
export function writesOf({ write, others }: Push): number[] {
  return [write, ...others];
}

/**
 * Returns whether a push of this shape may be decided with another one: it relies on no alias, needs no copies, and
 * its refs are others, which git can hold beside those.
 */
export function mayJoin(model: Model, state: State, push: Push, shape: Shape): boolean {
  if (model.minCopies > 1 || push.waiting.length > 0 || shape.some(([, act]) => act === "see")) return false;
  const rows = writesOf(push).map((w) => writeOf(state, w));
  if (rows.some(({ sees }) => sees.length > 0)) return false;
  const refs = rows.flatMap((row) => row.refs);
  const exclude = (ref: number) => model.nested && (ref === 0 || ref === model.refs - 1);
  return shape.every(([ref]) => !refs.includes(ref) && !(exclude(ref) && refs.some(exclude)));
}

/** Ends a group of which nothing has landed. Each push tries again alone, one after the other, under a new id. */
export function fallApart(model: Model, state: State, d: number, who: Who): void {
  const process = processOf(state, d, who);
  const push = process.push!;
  const held = foldAtHead(state);
  endLocks(model, state, d, who);
  if (!keeps(model, "alone-after-group")) {
    refuseAll(model, state, d, who, held);
    return;
  }
  const again = writesOf(push).flatMap((w) => {
    const row = writeOf(state, w);
    const isFree = row.refs.every((ref, index) => held[ref] === row.olds[index]);
    if (!keeps(model, "group-told-by-rows") && row.status === "dropped" && isFree) {
      row.ack = "ok";
      return [];
    }
    const next = state.writes.length + 1;
    const news = row.news.map((value) => (value === 0 ? 0 : next));
    state.writes.push({ ...row, news, atOnce: false, base: 0, baseDigest: NONE, status: "new", group: [] });
    deviceOf(state, d).objects |= bit(next);
    return [next];
  });
  process.push = nextOf(again);
}

/** Refuses all pushes of a group, of which at least one could not land. */
function refuseAll(model: Model, state: State, d: number, who: Who, held: readonly number[]): void {
  for (const w of writesOf(processOf(state, d, who).push!)) {
    const row = writeOf(state, w);
    if (row.refs.every((ref, index) => held[ref] === row.olds[index]))
      throw new Violation(`I2 w${w} is refused, and only a push that was decided with it is in the way`);
  }
  finish(model, state, d, who, true);
}

// Models a catch-up along the log, or by the whole fold. Stands for src/sync/catch-up/catch-up.ts, apply.ts and the
// fold of recovery.ts.
import { isAhead } from "./database.ts";
import { owe, reaches } from "./fail-over.ts";
import { mayTouchDisk, tear } from "./finish.ts";
import { mutexIsFree, startSteps, wholeFold } from "./flight.ts";
import { changesLeft, changesSince, digestAt, fold, headOf } from "./log.ts";
import { recoverySteps } from "./recovery.ts";
import { type Flight, type Model, NONE, type Process, type State, type Update, type Who } from "./state.ts";
import { clashes, deviceOf, keeps, named, processOf, type Step } from "./step.ts";

export function catchUpSteps(model: Model, state: State, d: number, who: Who): Step[] {
  if (!mayTouchDisk(model, who)) return [];
  const process = processOf(state, d, who);
  const { flight, applied, fence } = process;
  const steps: Step[] = [];
  const known = !keeps(model, "recorded-if-known") || digestAt(state, applied) === process.held;
  if (applied >= 0 && known && state.recorded[d]! < applied && state.fences[d] === fence)
    steps.push({
      kind: "go",
      label: `${named(d, who)} records v${applied}`,
      act: (next) => {
        next.recorded[d] = Math.max(next.recorded[d]!, applied);
      },
    });
  if (flight !== null)
    return [...steps, ...(flight.plan ? applySteps(model, state, d, who) : beginSteps(model, state, d, who))];
  if (state.ahead[d] && !knowsMore(model, state, d, who)) return [...steps, clearAhead(d, who)];
  if (applied === NONE) return [...steps, ...recoverySteps(model, state, d, who)];
  return [...steps, ...followSteps(model, state, d, who)];
}

/**
 * Returns whether the disk holds a version that the database does not know, by the process's knowledge or by the note.
 */
function knowsMore(model: Model, state: State, d: number, who: Who): boolean {
  const { applied, held } = processOf(state, d, who);
  const { note } = deviceOf(state, d);
  if (applied !== NONE) return isAhead(model, state, applied, held, true);
  return note !== null && isAhead(model, state, note.version, note.digest, true);
}

function clearAhead(d: number, who: Who): Step {
  return {
    kind: "go",
    label: `${named(d, who)} finds its disk not ahead any more`,
    act: (next) => {
      next.ahead[d] = false;
    },
  };
}

/** Offers to read the log since the applied version, and to fetch its objects. */
function followSteps(model: Model, state: State, d: number, who: Who): Step[] {
  const { applied, held } = processOf(state, d, who);
  const head = headOf(state);
  const go = (label: string, act: (next: State) => void): Step[] => [
    { kind: "go", label: `${named(d, who)} ${label}`, act },
  ];
  if (state.demoted[d] && keeps(model, "demoted-with-log"))
    return mutexIsFree(processOf(state, d, who))
      ? go("finds that it was demoted", (next) => {
          processOf(next, d, who).applied = NONE;
        })
      : [];
  if (isAhead(model, state, applied, held, keeps(model, "digest-in-catch-up")))
    return state.ahead[d]
      ? []
      : go("finds its disk ahead", (next) => {
          next.ahead[d] = true;
        });
  if (applied >= head) return [];
  const changes = keeps(model, "gap-means-fold") ? changesSince(state, applied) : changesLeft(state, applied);
  const flight = changes === undefined ? wholeFold(state) : alongLog(model, state, applied, changes);
  if (!keeps(model, "exact-ids")) return copySteps(state, d, who, flight);
  return startSteps(model, state, d, who, flight);
}

function alongLog(model: Model, state: State, applied: number, all: Flight["changes"]): Flight {
  const mine = fold(state.log, state.seen.length, applied);
  const changes = keeps(model, "touched-refs") ? all : all.filter(([ref, value]) => mine[ref] !== value);
  return {
    from: applied,
    to: headOf(state),
    digest: digestAt(state, headOf(state))!,
    whole: false,
    changes,
    stalePlan: keeps(model, "plan-under-mutex") ? null : changes.map(([ref, value]): Update => [ref, value]),
    copyOf: NONE,
    plan: null,
    pos: 0,
  };
}

/** Without the rule of exact ids: offers to copy the refs of a peer that is recorded at the head. */
function copySteps(state: State, d: number, who: Who, flight: Flight): Step[] {
  return state.devices.flatMap((peer, q): Step[] =>
    q === d || state.recorded[q] !== flight.to || peer.live === null
      ? []
      : [
          {
            kind: "go",
            label: `${named(d, who)} chooses d${q} to copy its refs as v${flight.to}`,
            act: (next) => {
              processOf(next, d, who).flight = { ...flight, copyOf: q };
            },
          },
        ],
  );
}

/**
 * Offers to take the mutex and to make the plan again, from the read changes of the versions that are still to come.
 */
function beginSteps(model: Model, state: State, d: number, who: Who): Step[] {
  const process = processOf(state, d, who);
  const flight = process.flight!;
  if (!mutexIsFree(process)) return [];
  const { applied } = process;
  const moved = keeps(model, "start-over") && applied !== flight.from;
  const skip = flight.stalePlan === null && (applied >= flight.to || (!flight.whole && (applied === NONE || moved)));
  const plan = planOf(model, state, d, process, flight);
  if (!skip && model.nested && gitRefuses(model, deviceOf(state, d).refs, plan)) return [];
  return [
    {
      kind: "go",
      label: `${named(d, who)} ${skip ? "need not apply" : "begins to apply"} v${flight.to}`,
      act: (next) => {
        const mine = processOf(next, d, who);
        if (skip) {
          mine.flight = null;
          return;
        }
        mine.applied = NONE;
        const device = deviceOf(next, d);
        tear(model, device);
        if (flight.copyOf !== NONE) device.objects |= deviceOf(next, flight.copyOf).objects;
        mine.flight!.plan = plan;
      },
    },
  ];
}

function planOf(model: Model, state: State, d: number, { applied }: Process, flight: Flight): readonly Update[] {
  const { refs } = deviceOf(state, d);
  if (flight.copyOf !== NONE) return deviceOf(state, flight.copyOf).refs.map((value, ref): Update => [ref, value]);
  if (flight.stalePlan) return flight.stalePlan;
  const plan = flight.changes
    .filter(([ref, value, version]) => (flight.whole ? refs[ref] !== value : version > applied))
    .map(([ref, value]): Update => [ref, value]);
  if (!model.nested) return plan;
  const kept = keeps(model, "absent-deletes") ? plan.filter(([ref, value]) => value !== 0 || refs[ref] !== 0) : plan;
  return [...kept.filter(([, value]) => value === 0), ...kept.filter(([, value]) => value !== 0)];
}

/**
 * Returns whether git refuses a plan: a deletion with a creation below it in one transaction, or above an existing ref.
 */
function gitRefuses(model: Model, refs: readonly number[], plan: readonly Update[]): boolean {
  const deletes = plan.filter(([, value]) => value === 0);
  if (deletes.some(([ref]) => refs[ref] === 0 && clashes(refs, ref))) return true;
  return !keeps(model, "deletes-first") && deletes.length > 0 && deletes.length < plan.length;
}

function applySteps(model: Model, state: State, d: number, who: Who): Step[] {
  const { plan, pos, to, digest } = processOf(state, d, who).flight!;
  const device = deviceOf(state, d);
  const update = plan![pos];
  if (update === undefined)
    return [
      {
        kind: "go",
        label: `${named(d, who)} is at v${to}`,
        act: (next) => {
          const process = processOf(next, d, who);
          process.applied = to;
          process.held = digest;
          process.exact = true;
          process.flight = null;
          deviceOf(next, d).note = { version: to, digest, sound: true };
          owe(next, d);
        },
      },
    ];
  const [ref, value] = update;
  if (device.locks[ref] !== NONE || (model.nested && value !== 0 && clashes(device.refs, ref))) return [];
  return [
    {
      kind: "go",
      label: `${named(d, who)} applies ref${ref} = ${value}`,
      act: (next) => {
        reaches(next, d, ref, value);
        deviceOf(next, d).refs[ref] = value;
        processOf(next, d, who).flight!.pos += 1;
      },
    },
  ];
}

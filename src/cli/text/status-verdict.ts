// The first lines of `lockstep status`: whether all is well, and what to do where it is not.
import type { RoomState } from "../../health/disk-room.ts";
import { styled } from "../terminal/styled.ts";

/** The facts that the verdict follows from. */
export interface Facts {
  readonly devices: readonly {
    readonly name: string;
    readonly state: string;
    readonly live: boolean;
    readonly disk: { readonly state: RoomState } | null;
  }[];
  readonly repositories: readonly {
    readonly name: string;
    readonly behind: readonly string[];
    readonly broken: readonly string[];
    readonly leaders: readonly string[];
    readonly unsafe: boolean;
    readonly stuck: boolean;
    readonly stopped: string | null;
  }[];
  readonly write_locks: readonly unknown[];
  readonly waiting_keys: readonly unknown[];
  readonly revoked_keys: readonly unknown[];
  readonly scrubs: readonly unknown[];
  readonly warnings: readonly string[];
}

/** How many names a line has. */
const NAMED = 3;

/** Returns a sentence, or a line for each thing that somebody has to do. */
export function verdictOf(facts: Facts): string {
  const todo = problemsOf(facts);
  if (todo.length > 0) {
    const count = todo.length === 1 ? "One thing needs you" : `${todo.length} things need you`;
    return [styled("bad", `${count}:`), ...todo.map((line) => `  - ${line}`)].join("\n");
  }
  const live = facts.devices.filter(({ state }) => state === "live").length;
  const devices = live === 1 ? "one device is live" : `${live} devices are live`;
  const busy = facts.repositories.length;
  const work = busy === 0 ? "" : ` Devices catch up with ${busy === 1 ? "one repository" : `${busy} repositories`}.`;
  return `${styled("good", "All is well:")} ${devices}.${work}`;
}

function problemsOf(facts: Facts): string[] {
  const down = facts.devices.filter(({ state }) => state === "down").map(({ name }) => name);
  const full = facts.devices
    .filter(({ live, disk }) => live && (disk?.state === "little" || disk?.state === "too_little"))
    .map(({ name }) => name);
  const named = (is: (repository: Facts["repositories"][number]) => boolean) =>
    facts.repositories.filter(is).map(({ name }) => name);
  const stopped = named((each) => each.stopped !== null);
  const stuck = named((each) => each.stuck && each.stopped === null && each.leaders.length > 0);
  const nowhere = named((each) => each.stuck && each.stopped === null && each.leaders.length === 0);
  const broken = named((each) => each.broken.length > 0);
  const unsafe = named((each) => each.unsafe && !each.stuck && each.behind.length === 0);
  return [
    problem(down, "down", "start `lockstep serve` there, or look with `lockstep device show NAME`"),
    problem(full, "the disk is nearly full", "make room, or take pushes away with `lockstep device drain NAME`"),
    problem(stopped, "stopped, and needs your decision", "see `lockstep thaw NAME`"),
    problem(stuck, "stuck: the devices with the newest version are down", "start them, or see `lockstep thaw NAME`"),
    problem(nowhere, "no device has the newest version", "start a device that has it, or see `lockstep thaw NAME`"),
    problem(broken, "broken on a device", "`lockstep repo show NAME` says why"),
    problem(unsafe, "on one device only", "place it on more devices with `lockstep repo set NAME --devices`"),
    some(
      facts.write_locks,
      "Writes are stopped by an operator",
      "`lockstep write-lock --disable [NAME…]` allows them again",
    ),
    some(facts.waiting_keys, "Keys wait to be let in", "`lockstep device trust NAME` lets a device in"),
    some(facts.revoked_keys, "Somebody uses revoked keys", "the list below says whose"),
    some(
      facts.scrubs,
      "Replicas are damaged or were not read for long",
      "`lockstep command enqueue verify NAME --device DEVICE` reads and mends them",
    ),
    some(facts.warnings, "Certificates or settings need care", "the sentences below say which"),
  ].filter((line) => line !== "");
}

function problem(names: readonly string[], what: string, remedy: string): string {
  if (names.length === 0) return "";
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
  return `${names.slice(0, NAMED).join(", ")}${more}: ${what}; ${remedy}.`;
}

function some(rows: readonly unknown[], what: string, remedy: string): string {
  return rows.length === 0 ? "" : `${what}; ${remedy}.`;
}

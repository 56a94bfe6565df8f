// Says what an operator should do about repositories.
import { html } from "./parts/html.ts";
import { named, since, word } from "./parts/said.ts";
import type { Finding } from "./parts/to-do.ts";
import type { Restless, Survey } from "./survey.ts";

/** A replica that is behind for less than this is normal: it follows within a second. */
const SETTLE_MS = 10_000;

/** Returns what is to be done about all repositories. */
export function adviseRepositories(survey: Survey): Finding[] {
  const { restless, devices } = survey;
  return adviseRows(restless, devices).map(({ kind, ...finding }) => ({
    ...finding,
    more: `/status/repositories?state=${kind}`,
  }));
}

/** Returns what is to be done about one repository. */
export function adviseRepository(row: Restless, { devices }: Pick<Survey, "devices">): Finding[] {
  return adviseRows([row], devices);
}

/** A finding, and the filter of the list that shows all of them. */
type OfKind = Finding & { readonly kind: string };

function adviseRows(rows: readonly Restless[], devices: Survey["devices"]): OfKind[] {
  const live = new Set(devices.filter((device) => device.live).map(({ name }) => name));
  const settled = rows.filter((row) => Date.now() - row.since >= SETTLE_MS);
  const sorted = {
    stopped: rows.filter((row) => row.stopped !== null),
    stuck: rows.filter((row) => row.stuck && row.stopped === null),
    broken: rows.filter((row) => row.broken.length > 0),
    unsafe: settled.filter((row) => row.unsafe && !row.stuck && row.broken.length === 0),
    behind: settled.filter((row) => row.behind.some((device) => live.has(device)) && !row.stuck),
  };
  return [
    ...about(sorted.stopped, stopped),
    ...about(sorted.stuck, stuck),
    ...about(sorted.broken, broken),
    ...about(sorted.unsafe, unsafe),
    ...about(sorted.behind, (first, many) => behind(first, many, live)),
  ];
}

/** Describes the first of several repositories and lists the names of all. */
interface Named {
  readonly names: string;
  readonly are: "is" | "are";
  /** The name of the first one, for a command. */
  readonly name: string;
}

function about(rows: readonly Restless[], tell: (first: Restless, all: Named) => OfKind): OfKind[] {
  const [first] = rows;
  if (first === undefined) return [];
  const names = named(rows.map(({ repository }) => repository));
  return [tell(first, { names, are: rows.length === 1 ? "is" : "are", name: word(first.repository) })];
}

function stopped({ stopped: why }: Restless, { names, are, name }: Named): OfKind {
  return {
    tone: "bad",
    kind: "stopped",
    short: `${names} ${are} stopped`,
    what: html`${names} ${are} stopped: nobody can read or push until you decide which refs stay. Why: ${why}`,
    commands: [
      ["See which device has what:", `lockstep repo show ${name}`],
      ["Beside the device whose refs shall stay:", `lockstep thaw ${name} --promote DEVICE`],
    ],
  };
}

function stuck({ leaders }: Restless, { names, are, name }: Named): OfKind {
  if (leaders.length === 0)
    return {
      tone: "bad",
      kind: "unsafe",
      short: `${names} ${are} stuck: no device has the newest version`,
      what: html`No device has the newest version of ${names}: reads and pushes wait. Start a device that has it.`,
      commands: [
        ["See which device has what:", `lockstep repo show ${name}`],
        ["If it is lost for good, beside the device whose refs shall stay:", `lockstep thaw ${name} --promote DEVICE`],
      ],
    };
  const on = named(leaders);
  return {
    tone: "bad",
    kind: "unsafe",
    short: `${names} ${are} stuck on ${on}`,
    what: html`The newest version of ${names} is only on ${on}, which ${leaders.length === 1 ? "is" : "are"} down: reads and pushes wait. Start that device.`,
    commands: [["If it is lost for good, give up what only it has:", `lockstep thaw ${name} --demote ${leaders[0]}`]],
  };
}

function broken({ broken: devices }: Restless, { names, are, name }: Named): OfKind {
  return {
    tone: "bad",
    kind: "broken",
    short: `${names} ${are} broken on ${named(devices)}`,
    what: html`${names} ${are === "is" ? "has a replica" : "have replicas"} that nobody can use (${named(devices)}). The page of the repository has the error.`,
    commands: [["When the files are mended:", `lockstep command enqueue repair ${name} --device ${devices[0]} --wait`]],
  };
}

function unsafe({ leaders }: Restless, { names, are, name }: Named): OfKind {
  return {
    tone: "warn",
    kind: "unsafe",
    short: `${names} ${are} on one device only`,
    what: html`The newest version of ${names} is on one device only (${named(leaders) || "none yet"}). Do not switch it off. The others copy it as soon as they can.`,
    commands: [`lockstep repo show ${name}`],
  };
}

function behind(first: Restless, { names, are, name }: Named, live: ReadonlySet<string>): OfKind {
  const on = first.behind.filter((device) => live.has(device));
  return {
    tone: "warn",
    kind: "behind",
    short: `${names} ${are} behind on ${named(on)}`,
    what: html`${names} ${are} behind on ${named(on)}, for ${since(new Date(first.since))}, although ${on.length === 1 ? "that device is" : "those devices are"} up. The last catch-up says why.`,
    commands: [`lockstep command enqueue sync ${name} --device ${on[0]} --wait`],
  };
}

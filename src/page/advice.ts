// Says what an operator should do now, the most urgent first, with the commands to type.
import { judgeRoom } from "../health/disk-room.ts";
import { repositoryName } from "../names.ts";
import { adviseRepositories } from "./advise-repositories.ts";
import { html } from "./parts/html.ts";
import { ago, count, since, size, type Tone, word } from "./parts/said.ts";
import type { Finding } from "./parts/to-do.ts";
import type { Survey } from "./survey.ts";

/** Returns all that is to be done in the cluster. `warnings`: what this device says of itself. */
export function adviseCluster(survey: Survey, warnings: readonly string[]): Finding[] {
  return [
    ...adviseRepositories(survey),
    ...adviseDevices(survey),
    ...adviseDisks(survey),
    ...adviseKeys(survey),
    ...warnings.map(
      (warning): Finding => ({ tone: "warn", short: "a warning of this device", what: html`${warning}`, commands: [] }),
    ),
    ...adviseScrubs(survey),
    ...adviseUnknown(survey),
    ...adviseStops(survey),
  ].sort((one, other) => ORDER.indexOf(one.tone) - ORDER.indexOf(other.tone));
}

const ORDER: readonly Tone[] = ["bad", "warn", "note"];

function adviseDevices({ devices, drained, behind }: Survey): Finding[] {
  return devices.flatMap((device): Finding[] => {
    const { name, live, awaySince, drainingSince, writes } = device;
    const found: Finding[] = [];
    if (!live && drainingSince === null)
      found.push({
        tone: "bad",
        short: `device ${name} is down`,
        what: html`Device ${name} ${awaySince ? "has been" : "is"} down${awaySince ? html` for ${since(awaySince)}` : ""}${(behind.get(name) ?? 0) > 0 ? `, and ${count(behind.get(name) ?? 0, "replica")} on it ${behind.get(name) === 1 ? "is" : "are"} behind` : ""}. Reads and pushes go to the other devices. Start its sidecar.`,
        commands: [
          ["On its machine, to see what it lacks:", "lockstep doctor"],
          ["If it is gone for good:", `lockstep device remove ${name}`],
        ],
      });
    if (drainingSince !== null && drained.has(name))
      found.push({
        tone: "note",
        short: `device ${name} is drained`,
        what: html`Device ${name} is drained: the others have everything. It may be switched off and removed.`,
        commands: [["Once it is switched off:", `lockstep device remove ${name}`]],
      });
    else if (drainingSince !== null)
      found.push({
        tone: live ? "note" : "bad",
        short: `device ${name} drains`,
        what: html`Device ${name} drains since ${ago(drainingSince)} and ${live ? "" : "is down, but "}still has something that no other device has.`,
        commands: [`lockstep device show ${name}`],
      });
    else if (!writes)
      found.push({
        tone: "note",
        short: `device ${name} takes no writes`,
        what: html`Device ${name} only serves reads: an operator has taken it from writes.`,
        commands: [["To let it take them again:", `lockstep device set ${name} --writes`]],
      });
    return found;
  });
}

function adviseDisks({ devices }: Survey): Finding[] {
  return devices.flatMap(({ name, live, room }): Finding[] => {
    const how = room === null || !live ? "enough" : judgeRoom(room);
    if (room === null || (how !== "little" && how !== "too_little")) return [];
    return [
      {
        tone: how === "little" ? "warn" : "bad",
        short: `the disk of device ${name} is nearly full`,
        what: html`The disk of device ${name} has ${size(room.freeBytes)} free of ${size(room.sizeBytes)}. Pushes and catch-ups there fail once it is full. Make room, or give the device a larger disk.`,
        commands: [
          ["What Lockstep keeps there, and for how long:", "lockstep retention list"],
          ["To take pushes and new replicas away:", `lockstep device drain ${name}`],
        ],
      },
    ];
  });
}

function adviseKeys({ keys }: Survey): Finding[] {
  const waiting = keys.waiting.map(
    ({ role, name, fingerprint, since: at }): Finding => ({
      tone: "warn",
      short: `${role} ${name} waits to be trusted`,
      what: html`The ${role} ${name} shows a key that nobody has trusted (${fingerprint}), since ${ago(at)}. Compare the fingerprint with the one on that machine.`,
      commands: [["If they are equal:", `lockstep ${role} trust ${word(name)}`]],
    }),
  );
  const revoked = keys.credentials.map(
    ({ role, name, fingerprint }): Finding => ({
      tone: "warn",
      short: `${role} ${name} shows a revoked key`,
      what: html`Somebody still tries to connect as ${role} ${name} with a revoked key (${fingerprint}).`,
      commands: ["lockstep audit --since 7d"],
    }),
  );
  return [...waiting, ...revoked];
}

function adviseScrubs({ scrubs }: Survey): Finding[] {
  const damaged = scrubs.filter(({ scrub }) => scrub !== null && scrub.failure !== null);
  const overdue = scrubs.filter(({ overdue: is }) => is);
  const found: Finding[] = [];
  const [bad] = damaged;
  if (bad)
    found.push({
      tone: "bad",
      short: `${count(damaged.length, "replica")} could not be repaired`,
      what: html`${count(damaged.length, "replica")} could not be repaired after all objects were read: ${bad.repository} on ${bad.device}: ${bad.scrub?.failure}`,
      commands: [`lockstep command enqueue verify ${word(bad.repository)} --device ${bad.device} --wait`],
    });
  const [late] = overdue;
  if (late)
    found.push({
      tone: "note",
      short: `${count(overdue.length, "verification")} overdue`,
      what: html`${count(overdue.length, "replica")} should have been verified by now, such as ${late.repository} on ${late.device}.`,
      commands: [`lockstep command enqueue verify ${word(late.repository)} --device ${late.device}`],
    });
  return found;
}

function adviseUnknown({ unknown }: Survey): Finding[] {
  const [one] = unknown;
  if (one === undefined) return [];
  const adoptable = unknown.find(({ repository }) => isName(repository));
  return [
    {
      tone: "note",
      short: "unknown directories",
      what: html`The database does not know ${count(unknown.length, "directory", "directories")}, such as ${one.path} on ${one.device}. Nothing touches them. Take them in, or move them away.`,
      commands: adoptable ? [[`On ${adoptable.device}:`, `lockstep repo adopt ${word(adoptable.repository)}`]] : [],
      more: "/status/repositories?state=unknown",
    },
  ];
}

function isName(text: string): boolean {
  try {
    return repositoryName(text) === text;
  } catch {
    return false;
  }
}

function adviseStops({ stops }: Survey): Finding[] {
  return stops.map(({ repository, reason, author, since: at }) => ({
    tone: repository === null ? "warn" : "note",
    short: `writes to ${repository ?? "all repositories"} are stopped`,
    what: html`Writes to ${repository ?? "all repositories"} are stopped by ${author} since ${ago(at)}: ${reason}. Reads go on.`,
    commands: [
      ["To allow them again:", `lockstep write-lock --disable${repository === null ? "" : ` ${word(repository)}`}`],
    ],
  }));
}

// Plans an adoption: looks at the directory here and at those of the other devices, and says what would become of each.
// Changes nothing.
import { randomBytes, randomUUID } from "node:crypto";
import { digestOf } from "../../digest.ts";
import { compareRefs, displayRef, type RefName, type Refs, type RefValue, type Version } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { adoptionRefusedError, type Examined, examineDirectory } from "../../git/replica/examine-directory.ts";
import { settingsOwner } from "../../git/replica/repository.ts";
import { adoptingAs } from "../../git/replica/take-in.ts";
import type { TakeOver } from "../../store/adopt/adoption.ts";
import { repositoryOf } from "../../store/adopt/adoption.ts";
import type { SyncContext } from "../device/context.ts";
import { replicaPath } from "../device/replica.ts";
import { type Asked, askOthers } from "./ask-others.ts";
import { type DirectoryAnswer, type DirectoryNote, noteBeside, refsOf } from "./look-at-directory.ts";

/** A question with refs may take a walk over many of them. */
const PATIENCE_MS = 20_000;
const DIFFERENCES_LISTED = 1_000;

/** One ref that is not the same on all devices. */
export interface RefDiffers {
  readonly ref: string;
  /** The value on each device. null: it has no such ref. */
  readonly values: Readonly<Record<string, string | null>>;
}

export interface AdoptionPlan {
  readonly repositoryId: string;
  readonly examined: Examined;
  readonly digestKey: Buffer;
  readonly digest: Buffer;
  readonly version: Version;
  /** True for a replica that the database has forgotten. */
  readonly forgotten: boolean;
  /** The other devices that have the directory. */
  readonly others: ReadonlyMap<string, TakeOver>;
  readonly notes: readonly string[];
}

/** Why a directory is not adopted, or which device must do it. */
export type Planned =
  | { readonly plan: AdoptionPlan }
  | { readonly refused: string; readonly differences: readonly RefDiffers[] }
  | { readonly elsewhere: string };

export interface AdoptionOptions {
  /** The device whose refs stay where devices differ. undefined: none was named. */
  readonly from: string | undefined;
  readonly signal: AbortSignal;
}

/** Plans the adoption of the directory `name` on this device. Throws ADOPTION_REFUSED, PREREQUISITE_MISSING. */
export async function planAdoption(context: SyncContext, name: string, options: AdoptionOptions): Promise<Planned> {
  const { from, signal } = options;
  const path = replicaPath(context.root, name);
  const me = context.me.device;
  const examined = await examineDirectory(context.git, path, { objects: true, signal });
  const { repositoryId, note } = await identify(context, path);
  const digestKey = randomBytes(32);
  const digest = digestOf(digestKey, examined.refs);
  const question = { repository: name, digestKey: digestKey.toString("hex") };
  const asked = await askOthers(context, question, { signal, patienceMs: PATIENCE_MS });
  const found = asked.answers.filter((answer) => answer.exists);
  const differing = found.filter((answer) => answer.digest !== digest.toString("hex"));
  const unfit = differing.find(({ problem }) => problem !== null);
  if (unfit !== undefined && from === undefined)
    return { refused: `On ${unfit.device}: ${unfit.problem} Or say whose refs stay with --from.`, differences: [] };
  const chosen = differing.length === 0 ? me : (from ?? newestOf(me, note, differing));
  if (chosen === undefined) return await differ(context, name, { examined, digestKey, differing, options });
  if (chosen !== me && found.some(({ device }) => device === chosen)) return { elsewhere: chosen };
  if (chosen !== me)
    return {
      refused: `Device ${chosen} has no directory of that name, or is away; name another one with --from.`,
      differences: [],
    };
  const others = new Map<string, TakeOver>(
    found.map((answer) => [answer.device, differing.includes(answer) ? "replace" : "known"]),
  );
  const versions = [note, ...found.map((answer) => answer.note)]
    .filter((each) => each?.repositoryId === repositoryId)
    .map((each) => BigInt(each?.version ?? 0n));
  const highest = versions.reduce((most, each) => (each > most ? each : most), 0n);
  const notes = [...examined.notes, ...notesOn(asked), ...(note === null ? [] : [forgottenNote(highest + 1n)])];
  const version = highest + 1n;
  return { plan: { repositoryId, examined, digestKey, digest, version, forgotten: note !== null, others, notes } };
}

/** Returns the id that the repository gets, and its note if it is a replica that the database has forgotten. */
async function identify(
  { db }: SyncContext,
  path: string,
): Promise<{ repositoryId: string; note: DirectoryNote | null }> {
  const begun = await adoptingAs(path);
  if (begun !== undefined) return { repositoryId: begun, note: null };
  const owner = await settingsOwner(path);
  if (owner === undefined) return { repositoryId: randomUUID(), note: null };
  const known = await repositoryOf(db, owner);
  if (known !== undefined)
    throw adoptionRefusedError(
      path,
      `is a copy of a replica of ${known}, or that replica itself; move it back, or remove lockstep.config and lockstep.version from it to make it a repository of its own`,
    );
  return { repositoryId: owner, note: (await noteBeside(path)) ?? { repositoryId: owner, version: "0", digest: "" } };
}

/**
 * Returns the device with the newest version of a replica that the database has forgotten. undefined: versions do not
 * tell whose refs stay.
 */
function newestOf(
  me: string,
  note: DirectoryNote | null,
  differing: readonly (DirectoryAnswer & { device: string })[],
): string | undefined {
  if (note === null) return undefined;
  const all = [{ device: me, note }, ...differing];
  const held = all.flatMap((each) =>
    each.note?.repositoryId === note.repositoryId ? [{ device: each.device, version: BigInt(each.note.version) }] : [],
  );
  if (held.length < all.length) return undefined;
  const highest = held.reduce((most, { version }) => (version > most ? version : most), 0n);
  const newest = held.filter(({ version }) => version === highest);
  // Two with the same version and different refs: one of them was being written when it stopped.
  return newest.length === 1 ? newest[0]?.device : undefined;
}

async function differ(
  context: SyncContext,
  name: string,
  found: {
    examined: Examined;
    digestKey: Buffer;
    differing: readonly { readonly device: string }[];
    options: AdoptionOptions;
  },
): Promise<Planned> {
  const { examined, digestKey, differing, options } = found;
  const question = { repository: name, digestKey: digestKey.toString("hex"), refs: true };
  const { answers } = await askOthers(context, question, { signal: options.signal, patienceMs: PATIENCE_MS });
  const devices = new Map<string, Refs>([[context.me.device, examined.refs]]);
  for (const answer of answers)
    if (differing.some(({ device }) => device === answer.device)) devices.set(answer.device, refsOf(answer));
  const names = [...devices.keys()].join(", ");
  return {
    refused: `Its refs differ on ${names}; say with --from DEVICE whose refs stay. The others keep theirs below refs/lockstep/lost/.`,
    differences: differencesOf(devices),
  };
}

/** Lists the refs that differ between devices, at most DIFFERENCES_LISTED. */
export function differencesOf(devices: ReadonlyMap<string, Refs>): RefDiffers[] {
  const names = new Set<RefName>([...devices.values()].flatMap((refs) => [...refs.keys()]));
  const shown = (value: RefValue | undefined) => (value === undefined ? null : displayRef(value));
  return [...names]
    .filter((name) => new Set([...devices.values()].map((refs) => refs.get(name))).size > 1)
    .sort(compareRefs)
    .slice(0, DIFFERENCES_LISTED)
    .map((name) => ({
      ref: displayRef(name),
      values: Object.fromEntries([...devices].map(([device, refs]) => [device, shown(refs.get(name))])),
    }));
}

function notesOn({ silent, away }: Asked): string[] {
  const absent = [...silent.map(({ device }) => device), ...away];
  if (absent.length === 0) return [];
  return [
    `${absent.join(", ")} could not be asked and may have a directory of that name: equal refs are taken over later, and other refs stay there untouched.`,
  ];
}

function forgottenNote(version: Version): string {
  return (
    `The database had forgotten it. It goes on at version ${version}, above every version that the live devices have noted. ` +
    "If a device that is away holds a newer one, it stops the repository when it comes back."
  );
}

/** Makes the error for a name that a repository of the cluster has. */
export function takenError(name: string): LockstepError {
  return new LockstepError(
    "REPOSITORY_EXISTS",
    `${name} is a repository of the cluster already; see \`lockstep repo show ${name}\`.`,
    { details: { repository: name } },
  );
}

// Puts repositories of plain git below the roots of devices, and has them adopted, while plain git goes on pushing.
import { execFile } from "node:child_process";
import { cp, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { Client as Caller } from "../../src/client/client.ts";
import { describe } from "../../src/errors.ts";
import { administer } from "../support/administer.ts";
import type { Device } from "../support/cluster-device.ts";
import { plainCommit, plainGit, plainRepository } from "../support/plain-repository.ts";
import { Client } from "./client.ts";
import type { FaultContext, Make } from "./fault-context.ts";
import { type HistoryRecord, recordsOf } from "./history.ts";
import type { Recorder } from "./recorder.ts";
import { Session } from "./session.ts";

const run = promisify(execFile);
const CALL_MS = 15_000;
const RETRY_MS = 300;
/** So long the fault itself tries. What is not adopted by then is adopted after the run. */
const PATIENCE_MS = 20_000;
/** Plain git syncs nothing. A push that began before the adoption is on the disk so long after it. */
const SYNCED_MS = 20_000;
/** A device that was away takes its directory over, or refuses to, within this time. */
const TAKEN_OVER_MS = 15_000;
const REFUSED = /whose refs are those of no version/;
/** Each push of plain git makes a ref of its own: before the adoption there is no log that has older values. */
const STREAM = "refs/heads/stream/";
/** The history calls the pusher so, who knows nothing of Lockstep. */
const PLAIN = "plain";

export interface MovedIn {
  readonly repository: string;
  /** The device whose refs stay. */
  readonly device: string;
  readonly invoked: number;
  readonly refs: Readonly<Record<string, string>>;
  /** Another device that has the directory, and the commit that its main branch has. */
  readonly other?: { readonly device: string; readonly main: string };
  /** The other device was away during the adoption and had other refs. An operator has moved its directory away. */
  movedAway?: true;
  /** When the adoption was acknowledged. */
  adopted?: number;
  /** Why it was refused last. */
  refused?: string;
}

/**
 * Puts an equal or a different repository on one or two devices, and has it adopted. The adoption is an operation of the
 * history that sets all refs at once.
 */
export const moveIn: Make = async (context, { device, other, choice }, _member, stop) => {
  const { cluster, movedIn, recorder, minCopies } = context;
  if (minCopies > 1) return "not possible: a disk may be lost, and the directory may be on one only";
  const number = context.numberOfMoved();
  const repository = `moved/in${number}`;
  const template = join(cluster.dir, "moved", `${number}`);
  const ids = await plainRepository(template, ["main", "topic"]);
  const [both, different] = [choice < 0.6, choice < 0.3];
  const main = different ? await plainCommit(template, "other", [ids.main!]) : ids.main!;
  const moved: MovedIn = {
    repository,
    device,
    invoked: recorder.now(),
    refs: { "refs/heads/main": ids.main!, "refs/heads/topic": ids.topic! },
    ...(both && { other: { device: other, main } }),
  };
  movedIn.push(moved);
  const put = async (on: string) => {
    const path = cluster.member(on).host.gitDir(repository);
    await mkdir(dirname(path), { recursive: true });
    await cp(template, path, { recursive: true });
    await run("sync", ["-f", path]);
  };
  await put(device);
  if (different) await plainGit(template, ["update-ref", "refs/heads/main", main]);
  if (both) await put(other);
  const over = new AbortController();
  const pushing = pushPlainly(context, moved, AbortSignal.any([stop, over.signal]));
  const deadline = Date.now() + PATIENCE_MS;
  while (moved.adopted === undefined && Date.now() < deadline && !stop.aborted) {
    await adopt(context, moved);
    await delay(RETRY_MS);
  }
  over.abort();
  await pushing;
  const how = `${repository} on ${device}${both ? ` and ${other}` : ""}`;
  return moved.adopted === undefined ? `${how}, not adopted yet: ${moved.refused}` : how;
};

/** Asks the device to adopt its directory, once. */
async function adopt({ cluster, recorder }: Pick<FaultContext, "cluster" | "recorder">, moved: MovedIn): Promise<void> {
  const { repository, device } = moved;
  try {
    using caller = new Caller({ socket: cluster.member(device).host.device.demo.socket });
    const request = { repositories: [repository], from: device, author: "torture" };
    for await (const { adopted, refused } of caller.stream(
      "AdoptRepositories",
      request,
      AbortSignal.timeout(CALL_MS),
    )) {
      if (adopted) moved.adopted ??= recorder.now();
      else moved.refused = refused?.reason ?? "";
    }
  } catch (error) {
    moved.refused = describe(error);
  }
}

/** Pushes by plain git into the directory, which does not know whether Lockstep has it. */
async function pushPlainly(
  { cluster, commits, recorder }: FaultContext,
  { repository, device }: MovedIn,
  signal: AbortSignal,
): Promise<void> {
  const path = cluster.member(device).host.gitDir(repository);
  const client = await Client.create(
    `${PLAIN}-${repository.replace("/", "-")}`,
    join(cluster.dir, "clients"),
    commits.directory,
  );
  const session = new Session({
    client,
    commits,
    recorder,
    // git pushes into the directory itself.
    deviceOf: () => ({ url: () => path }) as unknown as Device,
    nameOf: (name) => name,
    aliases: new Set(),
  });
  for (let index = 1; !signal.aborted; index += 1) {
    const asked = [
      { ref: `${STREAM}${index}`, believed: null, demanded: false, new: await commits.make(null, client.name) },
    ];
    await session.push({ operation: "create", device, repository, asked });
    await delay(RETRY_MS / 2);
  }
}

type Rest = Pick<FaultContext, "cluster" | "recorder" | "movedIn" | "placed">;

/**
 * Adopts what was not adopted during the run, and writes the adoptions into the history. Returns the repositories.
 */
export async function adoptRest(context: Rest, withinMs: number): Promise<string[]> {
  const { recorder, movedIn, placed } = context;
  const deadline = Date.now() + withinMs;
  for (const moved of movedIn) {
    for (;;) {
      await placed.refresh();
      if (placed.placeOf(moved.repository) || Date.now() > deadline) break;
      await adopt(context, moved);
      await delay(RETRY_MS);
    }
    await moveOthersAway(context, moved);
    const result = moved.adopted === undefined ? "unknown" : "ok";
    recorder.addOperation({
      ...{ id: recorder.nextOperation(), client: "adoption", device: moved.device, repository: moved.repository },
      ...{ operation: "atomic", invoked: moved.invoked, returned: moved.adopted ?? recorder.now(), result },
      changes: Object.entries(moved.refs).map(([ref, value]) => ({ ref, old: null, new: value, result })),
      ...(moved.refused !== undefined && { said: moved.refused }),
    });
  }
  recorder.records.splice(
    0,
    recorder.records.length,
    ...recorder.records.map((each) => doubted(each, recorder, movedIn)),
  );
  return movedIn.map(({ repository }) => repository).filter((repository) => placed.placeOf(repository));
}

/**
 * Moves the directory of the other device away if its sidecar refuses to take it over, as docs/operations.md says
 * (ADOPTION_REFUSED): it was away during the adoption, and its refs are others.
 */
async function moveOthersAway({ cluster, placed }: Rest, moved: MovedIn): Promise<void> {
  const id = placed.placeOf(moved.repository)?.id;
  if (moved.other === undefined || id === undefined) return;
  const { host } = cluster.member(moved.other.device);
  const deadline = Date.now() + TAKEN_OVER_MS;
  for (;;) {
    const { rows } = await administer(cluster.databaseUrl, (db) =>
      db.query("select state, last_error from lockstep.replica where repository_id = $1 and device = $2", [
        id,
        host.name,
      ]),
    );
    if (rows[0]?.state === "broken" && REFUSED.test(rows[0].last_error)) break;
    if (rows[0]?.state !== "pending" || Date.now() > deadline) return;
    await delay(RETRY_MS);
  }
  await rename(
    host.gitDir(moved.repository),
    join(cluster.dir, "moved", `${moved.repository.replace("/", "-")}-away`),
  ).catch(
    // The disk is another file system.
    async () => await rm(host.gitDir(moved.repository), { recursive: true }),
  );
  moved.movedAway = true;
  const order = { repository: moved.repository, device: host.name, command: "repair", author: "torture", reason: "" };
  await host.device.call("EnqueueCommand", order, { timeoutMs: CALL_MS });
}

/** A push of plain git proves nothing if the power of its device was lost before the adoption synced the files. */
function doubted(record: HistoryRecord, recorder: Recorder, movedIn: readonly MovedIn[]): HistoryRecord {
  if (record.record !== "operation" || !record.client.startsWith(PLAIN)) return record;
  const adopted =
    movedIn.find(({ repository }) => repository === record.repository)?.adopted ?? Number.POSITIVE_INFINITY;
  const until = Math.max(record.returned, adopted) + SYNCED_MS;
  const lost = recordsOf(recorder.records, "fault").some(
    ({ kind, target, from, to }) =>
      /power/.test(kind) && target === record.device && from <= until && to >= record.invoked,
  );
  if (!lost || record.result !== "ok") return record;
  return {
    ...record,
    result: "unknown",
    changes: (record.changes ?? []).map((each) => ({ ...each, result: "unknown" })),
  };
}

// The page of the whole cluster: whether all is well, what to do, the devices, and how many repositories are how.
import { judgeRoom } from "../health/disk-room.ts";
import { stuckHead } from "../health/stuck-head.ts";
import { unsafeHead } from "../health/unsafe-head.ts";
import { KEPT } from "./count-repositories.ts";
import { type Html, html, type Part } from "./parts/html.ts";
import { ago, count, duration, NOTHING, named, repositoryLink, since, size, state, type Tone } from "./parts/said.ts";
import { table } from "./parts/table.ts";
import { type Finding, toDo } from "./parts/to-do.ts";
import type { Restless, Survey } from "./survey.ts";

/** Repositories that are listed here. The page of repositories has all of them. */
const SHOWN = 12;

/** Says in one sentence whether all is well. */
export function verdictOn(survey: Survey, findings: readonly Finding[]): { tone: Tone; said: string } {
  const bad = findings.filter(({ tone }) => tone === "bad");
  const warn = findings.filter(({ tone }) => tone === "warn");
  const of = `${count(survey.devices.length, "device")}, ${count(survey.repositories, "repository", "repositories")}`;
  if (bad.length > 0) return { tone: "bad", said: `Not well: ${shortly(bad)}.` };
  if (warn.length > 0) return { tone: "warn", said: `Look at this: ${shortly(warn)}.` };
  if (!survey.whole) return { tone: "note", said: `Nothing is wrong so far. ${of}; still counting.` };
  return { tone: "good", said: `All is well. ${of}.` };
}

const MENTIONED = 3;

function shortly(findings: readonly Finding[]): string {
  const first = findings.slice(0, MENTIONED).map(({ short }) => short);
  const rest = findings.length - first.length;
  return `${first.join("; ")}${rest > 0 ? `; and ${count(rest, "thing")} more` : ""}`;
}

/** Says in one sentence how one repository is. */
export function verdictOnOne(row: Restless, findings: readonly Finding[]): { tone: Tone; said: string } {
  const bad = findings.filter(({ tone }) => tone === "bad");
  if (bad.length > 0) return { tone: "bad", said: `Not well: ${shortly(bad)}.` };
  if (findings.length > 0) return { tone: "warn", said: `Look at this: ${shortly(findings)}.` };
  const on = `version ${row.head} is on ${named(row.leaders, row.leaders.length)}`;
  if (row.behind.length === 0) return { tone: "good", said: `All is well: ${on}.` };
  return { tone: "note", said: `Reads and pushes are served: ${on}. Behind: ${row.behind.join(", ")}.` };
}

/** Makes the page. */
export function atAGlance(survey: Survey, findings: readonly Finding[]): Html {
  return html`<h1 class="hidden">The cluster at a glance</h1>
${toDo(findings)}
<section aria-labelledby="devices"><h2 id="devices">Devices</h2>
${table(
  "Devices of the cluster",
  ["device", "state", "zone", "lease", { head: "behind", numbers: true }, "work", "disk", "address"],
  survey.devices.map((device) => [
    device.name,
    stateOf(device, survey.drained),
    device.zone || "–",
    device.leaseMs === null ? "none" : `${duration(device.leaseMs)} left`,
    survey.behind.get(device.name)?.toLocaleString("en-US") ?? 0,
    workOf(device),
    diskOf(device),
    device.grpcAddress,
  ]),
)}</section>
<section aria-labelledby="repositories"><h2 id="repositories">Repositories</h2>
${tiles(survey)}
${countedAt(survey)}${restless(survey.restless)}</section>
`;
}

/** Says the states of a device, each with its colour. */
function stateOf(
  { live, awaySince, drainingSince, writes, name }: Survey["devices"][number],
  drained: ReadonlySet<string>,
): Html {
  return html`${live ? state("good", "up") : state("bad", html`down${awaySince && html` for ${since(awaySince)}`}`)}${
    drainingSince ? state("note", drained.has(name) ? "drained" : "draining") : !writes && state("note", "no writes")
  }`;
}

function workOf({ placing, missing, replicas, openCommands }: Survey["devices"][number]): string {
  const parts: string[] = [];
  if (placing || missing > 0n)
    parts.push(`copying: ${replicas - missing} of ${placing ? "more than " : ""}${replicas} replicas`);
  if (openCommands > 0n) parts.push(count(openCommands, "command"));
  return parts.join(", ") || "none";
}

/** Says what a device told of its disk. Below a tenth it is marked, as the alert LockstepDiskFull says it. */
function diskOf({ room }: Survey["devices"][number]): Part {
  if (room === null) return "–";
  const { freeBytes, sizeBytes } = room;
  const used = sizeBytes > 0 ? Math.round((1 - freeBytes / sizeBytes) * 100) : 100;
  const said = `${size(freeBytes)} free of ${size(sizeBytes)}`;
  const how = judgeRoom(room);
  const marked = how === "enough" ? said : state(how === "too_little" ? "bad" : "warn", said);
  return html`<meter min="0" max="100" low="80" high="90" optimum="0" value="${used}" aria-label="used">${used} %</meter> ${marked}`;
}

function tiles({ repositories, atRest, counts, unknown }: Survey): Html {
  const tile = (many: number, what: string, address: string, tone: Tone) =>
    html`<li class="${many > 0 ? tone : "none"}"><a href="${address}"><b>${many.toLocaleString("en-US")}</b> <span>${what}</span></a></li>`;
  const of = (kind: string) => `/status/repositories?state=${kind}`;
  return html`<ul class="tiles">${[
    tile(repositories, "in all", "/status/repositories", "good"),
    tile(atRest, "at rest", "/status/repositories", "good"),
    tile(counts.writing, "writing", of("writing"), "note"),
    tile(counts.behind, "behind", of("behind"), "warn"),
    tile(counts.unsafe, "unsafe: on one device", of("unsafe"), "warn"),
    tile(counts.broken, "broken", of("broken"), "bad"),
    tile(counts.stopped, "stopped", of("stopped"), "bad"),
    tile(unknown.length, "not in the database", of("unknown"), "note"),
  ]}</ul>
`;
}

/** Counts older than this are dated. */
const DATED_MS = 10_000;

function countedAt({ countedAt: at, whole }: Survey): Html {
  if (!whole) return html`<p>Still counting: these are the repositories so far.</p>`;
  return Date.now() - at.getTime() < DATED_MS ? NOTHING : html`<p>Counted ${ago(at)}.</p>`;
}

function restless(rows: readonly Restless[]): Html {
  if (rows.length === 0) return html`<p class="empty">All repositories are at rest.</p>`;
  const more = rows.length > SHOWN && `The first ${SHOWN} of ${rows.length >= KEPT ? "more than " : ""}${rows.length}.`;
  return html`${table(
    "Repositories that are not at rest",
    ["repository", { head: "version", numbers: true }, "state", "last write"],
    rows.slice(0, SHOWN).map(statusCells),
  )}${more && html`<p>${more}</p>`}`;
}

/** Makes the row of a repository: name, version, state, last write. */
export function statusCells(row: Omit<Restless, "since">): Part[] {
  const written = row.landedAt === null ? "–" : html`${ago(row.landedAt)} by <bdi>${row.author}</bdi>`;
  return [repositoryLink(row.repository), row.head, describeStatus(row), written];
}

/** Says how a repository is, in the words of `lockstep status`. */
export function describeStatus(row: Omit<Restless, "since">): Html {
  const { stopped, stuck, behind, broken, unsafe, leaders, writing, writesStopped } = row;
  const states = [
    stopped !== null && state("bad", `stopped: ${stopped}`),
    stuck && state("bad", stuckHead(row)),
    broken.length > 0 && state("bad", `broken: ${broken.join(", ")}`),
    behind.length > 0 && state("warn", `behind: ${behind.join(", ")}`),
    unsafe && !stuck && state("warn", unsafeHead(leaders)),
    writing && state("note", "writing"),
    writesStopped && state("note", "writes stopped"),
  ].filter((each) => each !== false);
  return states.length === 0 ? state("good", "at rest") : html`${states}${NOTHING}`;
}

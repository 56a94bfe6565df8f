// Shows what happened to a repository: catch-ups as charts, its log, and the commands of the queue.
import { displayRef, type RefName, type RefValue } from "../domain.ts";
import { type Bar, chart } from "./parts/chart.ts";
import { type Html, html, type Part } from "./parts/html.ts";
import { ago, duration, NOTHING, repositoryAddress, repositoryLink, size, state, type Tone } from "./parts/said.ts";
import { table } from "./parts/table.ts";
import type { RepositoryDetails } from "./repository.ts";

/** Catch-ups that the table lists. The charts have more. */
const LISTED = 10;
/** Refs of a version that are shown at once. */
const REFS = 3;

/** Makes the sections about what happened. */
export function happened(details: RepositoryDetails): Html {
  return html`${catchUps(details)}${log(details)}<section aria-labelledby="commands"><h2 id="commands">Commands</h2>
${commandTable("Commands of the queue for this repository", details.commands, false)}</section>
`;
}

type Sync = RepositoryDetails["syncs"][number];

function catchUps({ syncs, replicas }: RepositoryDetails): Html {
  if (syncs.length === 0)
    return html`<section aria-labelledby="catch-ups"><h2 id="catch-ups">Catch-ups</h2><p class="empty">No replica has had to catch up yet.</p></section>
`;
  const charts = replicas
    .map(({ device }) => ({ device, of: syncs.filter((sync) => sync.device === device).reverse() }))
    .filter(({ of }) => of.length > 0);
  return html`<section aria-labelledby="catch-ups"><h2 id="catch-ups">Catch-ups</h2>
<ul class="charts">${charts.map(
    ({ device, of }) => html`<li><p><b>${device}</b> ${medianOf(of)}</p>${chart(device, of.map(barOf))}</li>`,
  )}</ul>
${table(
  "The last catch-ups",
  [
    "when",
    "device",
    "from",
    "versions",
    { head: "refs", numbers: true },
    { head: "bytes", numbers: true },
    { head: "took", numbers: true },
    "result",
  ],
  syncs
    .slice(0, LISTED)
    .map((sync) => [
      ago(sync.at),
      sync.device,
      sync.fromDevice === sync.device ? "(here)" : sync.fromDevice,
      `${sync.fromVersion} → ${sync.version}`,
      sync.refsChanged,
      size(Number(sync.bytes)),
      duration(sync.durationMs),
      sync.error === null ? state("good", "ok") : state("bad", sync.error),
    ]),
)}</section>
`;
}

function medianOf(syncs: readonly Sync[]): string {
  const times = syncs.map(({ durationMs }) => durationMs).sort((one, other) => one - other);
  return `${syncs.length}, median ${duration(times[Math.floor(times.length / 2)] ?? 0)}`;
}

function barOf({ durationMs, error, fromVersion, version, bytes, at }: Sync): Bar {
  const result = error === null ? "" : `, failed: ${error.slice(0, 200)}`;
  return {
    ms: durationMs,
    failed: error !== null,
    title: `${at.toISOString()}: version ${fromVersion} to ${version}, ${size(Number(bytes))} in ${duration(durationMs)}${result}`,
  };
}

function log({ repository, log: entries, newest }: RepositoryDetails): Html {
  const oldest = entries.at(-1)?.version;
  const goesOn = oldest !== undefined && oldest > repository.logBase + 1n;
  const address = repositoryAddress(repository.name);
  const isFirst = entries[0]?.version === newest?.version;
  return html`<section aria-labelledby="log"><h2 id="log">Log</h2>
${
  entries.length === 0
    ? html`<p class="empty">No push has landed yet.</p>`
    : table(
        "Versions, the newest first",
        ["version", "when", "who", "device", "refs"],
        entries.map(({ version, landedAt, author, device, updates, more }) => [
          version,
          ago(landedAt),
          html`<bdi>${author}</bdi>`,
          device,
          refs(updates, more),
        ]),
      )
}<nav class="pages" aria-label="Pages of the log">${!isFirst && html`<a href="${address}#log">Newest versions</a> `}${
    goesOn && html`<a rel="next" href="${address}?before=${oldest}#log">Older versions</a>`
  }</nav></section>
`;
}

interface Update {
  readonly name: RefName;
  readonly oldValue: RefValue | null;
  readonly newValue: RefValue | null;
}

function refs(updates: readonly Update[], more: number): Html {
  const line = ({ name, oldValue, newValue }: Update) =>
    html`<li><bdi>${displayRef(name)}</bdi> <span class="ids">${shortOf(oldValue)} → ${shortOf(newValue)}</span></li>`;
  const rest = updates.slice(REFS);
  const hidden = rest.length + more;
  return html`<ul class="refs">${updates.slice(0, REFS).map(line)}</ul>${
    hidden > 0 &&
    html`<details><summary>${hidden} more</summary><ul class="refs">${rest.map(line)}${more > 0 && html`<li>and ${more} that are not listed here</li>`}</ul></details>`
  }`;
}

function shortOf(value: RefValue | null): string {
  if (value === null) return "(none)";
  const text = displayRef(value);
  return text.startsWith("ref: ") ? text : text.slice(0, 10);
}

const TONES: Readonly<Record<RepositoryDetails["commands"][number]["state"], Tone>> = {
  queued: "note",
  running: "note",
  done: "good",
  failed: "bad",
  superseded: "note",
};

/** Makes a table of commands, with their repositories if they are of several. */
export function commandTable(caption: string, commands: RepositoryDetails["commands"], several: boolean): Html {
  if (commands.length === 0) return html`<p class="empty">No command is on record.</p>`;
  const rows = commands.map((each): Part[] => [
    each.command,
    ...(several ? [repositoryLink(each.repository)] : []),
    each.device,
    html`${state(TONES[each.state], each.state)}${each.live || each.endedAt !== null ? NOTHING : state("bad", "device down")}`,
    ago(each.endedAt ?? each.startedAt ?? each.createdAt),
    html`<bdi>${each.author}</bdi>${each.reason && `: ${each.reason}`}`,
    each.attempts,
    each.lastError ?? "",
  ]);
  const columns = ["command", ...(several ? ["repository"] : []), "device", "state", "when", "by"];
  return table(caption, [...columns, { head: "tries", numbers: true }, "error"], rows);
}

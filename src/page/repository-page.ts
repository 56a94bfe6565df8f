// Shows one repository.
import { describeStatus } from "./at-a-glance.ts";
import { happened } from "./history.ts";
import { type Html, html, type Part } from "./parts/html.ts";
import { ago, count, named, since, state } from "./parts/said.ts";
import { facts, table } from "./parts/table.ts";
import { type Finding, toDo } from "./parts/to-do.ts";
import { type RepositoryDetails, statusOf } from "./repository.ts";

type Replica = RepositoryDetails["replicas"][number];

/** Waiters that are listed. */
const WAITERS = 50;

/** Makes the page of a repository. */
export function repositoryPage(details: RepositoryDetails, findings: readonly Finding[]): Html {
  const { repository, newest, writer, stops } = details;
  const { name, headVersion, placement, minCopies, landWithFewer, serial, objectFormat, keepLog } = repository;
  return html`<h1><bdi>${name}</bdi></h1>
${toDo(findings)}
<section aria-labelledby="now"><h2 id="now">Now</h2>
${facts([
  ["state", describeStatus(statusOf(details))],
  ["version", headVersion],
  ["last write", newest && ago(newest.landedAt)],
  ["last writer", newest && html`<bdi>${newest.author}</bdi> on ${newest.device}`],
  [
    "writing",
    writer
      ? html`<bdi>${writer.author}</bdi> on ${writer.device} since ${ago(writer.startedAt)}`
      : "nobody at this moment",
  ],
  ["a read goes to", whereReadsGo(details)],
  ["a push goes to", whereAPushGoes(details)],
  [
    "writes stopped",
    stops.length > 0 &&
      stops
        .map((stop) => `${stop.repository === null ? "to all repositories: " : ""}${stop.reason} (${stop.author})`)
        .join("; "),
  ],
  ["placement", placement === null ? "all devices" : placement.join(", ")],
  [
    "copies before a write lands",
    minCopies > 1 && `${minCopies}${landWithFewer ? ", fewer where they cannot be had" : ""}`,
  ],
  ["order", serial && "a write lands only on the version that its device holds"],
  ["objects", objectFormat],
  ["log kept", keepLog],
])}</section>
<section aria-labelledby="replicas"><h2 id="replicas">Replicas</h2>
${table(
  "Replicas of this repository",
  [
    "device",
    "state",
    { head: "version", numbers: true },
    "a read here",
    "a push here",
    "changed",
    "verified",
    "last error",
  ],
  details.replicas.map((replica) => replicaRow(details, replica)),
)}</section>
${writers(details)}
${happened(details)}
`;
}

function replicaRow(details: RepositoryDetails, replica: Replica): Part[] {
  const { device, version, live, awaySince, updatedAt, scrub, scrubbedAt, lastError } = replica;
  return [
    device,
    html`${replicaState(details, replica)}${!live && state("bad", html`down${awaySince && html` for ${since(awaySince)}`}`)}`,
    version,
    readHere(details, replica),
    pushHere(details, replica),
    ago(updatedAt),
    scrub === null || scrubbedAt === null
      ? "never yet"
      : html`${ago(scrubbedAt)}${scrub.failure !== null ? `, not repaired: ${scrub.failure}` : scrub.damage.length > 0 && ", repaired"}`,
    lastError ?? "",
  ];
}

function replicaState({ repository }: RepositoryDetails, replica: Replica): Html {
  const { state: kind, version, wanted } = replica;
  if (kind === "released" || kind === "destroyed") return state("note", kind);
  if (kind === "broken") return state("bad", "broken");
  if (!wanted) return state("note", "to be given up");
  if (kind === "pending") return state("warn", "being copied");
  if (version >= repository.headVersion) return state("good", "at the head");
  return state("warn", `${count(repository.headVersion - version, "version")} behind`);
}

function isHeld({ state: kind }: Replica): boolean {
  return kind !== "released" && kind !== "destroyed";
}

/** Says what a read on the device of a replica meets. */
function readHere({ repository }: RepositoryDetails, replica: Replica): string {
  if (!replica.live) return "no: the device is down";
  if (repository.stopped !== null) return "no: stopped";
  if (!isHeld(replica)) return "no: use another device";
  if (replica.state === "broken") return "after a repair";
  if (replica.state === "pending") return "after the first copy";
  if (replica.version >= repository.headVersion) return "at once";
  return `after a catch-up of ${count(repository.headVersion - replica.version, "version")}`;
}

/** Says what a push on the device of a replica meets. */
function pushHere(details: RepositoryDetails, replica: Replica): string {
  const { repository, stops, takers } = details;
  if (!replica.live) return "no: the device is down";
  if (repository.stopped !== null || stops.length > 0) return "no: stopped";
  if (!isHeld(replica) || !takers.includes(replica.device)) return "no: use another device";
  return readHere(details, replica);
}

function devicesWhere(details: RepositoryDetails, answer: typeof readHere, says: (said: string) => boolean): string[] {
  return details.replicas.filter((replica) => says(answer(details, replica))).map(({ device }) => device);
}

function whereReadsGo(details: RepositoryDetails): Html {
  return where(details, readHere);
}

function whereAPushGoes(details: RepositoryDetails): Html {
  const { repository, takers } = details;
  const few = repository.minCopies > 1 && !repository.landWithFewer && takers.length < repository.minCopies;
  return html`${where(details, pushHere)}${few && ` A push needs ${repository.minCopies} copies, and ${count(takers.length, "device")} can hold one now, so it is refused.`}`;
}

function where(details: RepositoryDetails, answer: typeof readHere): Html {
  const { repository, stops } = details;
  const now = devicesWhere(details, answer, (said) => said === "at once");
  const later = devicesWhere(details, answer, (said) => said.startsWith("after"));
  if (now.length === 0 && later.length === 0) {
    const why =
      repository.stopped !== null
        ? "the repository is stopped"
        : answer === pushHere && stops.length > 0
          ? "writes are stopped"
          : "no live device has a replica that serves";
    return html`${state("bad", "nowhere")}: ${why}`;
  }
  const parts = [
    now.length > 0 && `${named(now, now.length)} at once`,
    later.length > 0 && `${named(later, later.length)} after a catch-up`,
  ];
  return html`${parts.filter(Boolean).join("; ")}`;
}

function writers({ writer, tickets }: RepositoryDetails): Html {
  const waiting = tickets.filter(({ writeId }) => writeId !== writer?.ticket);
  const writes =
    writer === null
      ? html`Nobody writes at this moment`
      : html`<bdi>${writer.author}</bdi> writes on ${writer.device} since ${ago(writer.startedAt)}, on version ${writer.baseVersion}${writer.reason && ` (${writer.reason})`}`;
  const waits =
    waiting.length === 0 ? ", and nobody waits for the turn." : "; these wait for the turn, the first one goes next:";
  return html`<section aria-labelledby="writers"><h2 id="writers">Writer and waiters</h2>
<p>${writes}${waits}</p>${
    waiting.length > 0 &&
    table(
      "Waiting for the turn",
      ["who", "device", "waits since", "reason"],
      waiting
        .slice(0, WAITERS)
        .map((each) => [html`<bdi>${each.author}</bdi>`, each.device, ago(each.since), each.reason]),
    )
  }</section>
`;
}

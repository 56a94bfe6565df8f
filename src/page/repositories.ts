// The list of repositories: all of them, those whose names contain a text, or those that are not at rest in some way. A
// page is found by the name it begins after, so the last page costs as much as the first one.
import { isStuck } from "../health/stuck-head.ts";
import type { Database } from "../store/database/database.ts";
import { readStatusPart } from "../store/operator/status-parts.ts";
import { statusCells } from "./at-a-glance.ts";
import { isOf, KEPT, KINDS, type Kind } from "./count-repositories.ts";
import { type Html, html } from "./parts/html.ts";
import { ago, count } from "./parts/said.ts";
import { table } from "./parts/table.ts";
import type { Restless, Survey } from "./survey.ts";

const ROWS = 50;
/** Names that one search looks at. Then the page offers to go on. */
const SEARCHED = 20_000;
/** A longer text is in no name. */
const TEXT_LIMIT = 200;

/** What the list shows. */
export interface ListRequest {
  /** Only names that contain this text. Empty: all. */
  readonly contains: string;
  /** Empty: all. unknown: directories that the database does not know. */
  readonly state: Kind | "unknown" | "";
  /** Where the page begins: behind this name. Empty: at the first one. */
  readonly after: string;
}

/** What the list shows, and where it goes on. */
export interface Listed {
  readonly rows: readonly Omit<Restless, "since">[];
  /** The next page begins after this name. undefined: there is none. */
  readonly next: string | undefined;
  /** True: the search has not looked at all names. */
  readonly goesOn: boolean;
  readonly looked: number;
}

const STATES = ["", ...KINDS, "unknown"] as const;

/** Reads the request of an address. Words that mean nothing are taken for none. */
export function listRequest(parameters: URLSearchParams): ListRequest {
  const state = STATES.find((each) => each === parameters.get("state")) ?? "";
  const text = (name: string) => (parameters.get(name) ?? "").replaceAll("\0", "").slice(0, TEXT_LIMIT);
  return { state, contains: text("q").trim(), after: text("after") };
}

/** Lists repositories, from the survey if they are to be in some state. */
export async function listOf(db: Database, survey: Survey, request: ListRequest): Promise<Listed> {
  const { contains, state, after } = request;
  if (state !== "" && state !== "unknown") return listRestless(survey, { ...request, state });
  const look = contains === "" ? ROWS + 1 : SEARCHED;
  const { repositories, looked, last } = await readStatusPart(db, { after, look, contains, limit: ROWS + 1 });
  const live = new Set(survey.devices.filter((device) => device.live).map(({ name }) => name));
  const rows = repositories.slice(0, ROWS).map((row) => ({ ...row, stuck: isStuck(row, live) }));
  if (repositories.length > ROWS) return { rows, next: rows.at(-1)?.repository, goesOn: false, looked };
  const goesOn = contains !== "" && looked === look;
  return { rows, next: goesOn ? (last ?? undefined) : undefined, goesOn, looked };
}

/** Lists repositories of the survey, which has them in the order of the database. */
function listRestless({ restless }: Survey, { contains, state, after }: ListRequest & { state: Kind }): Listed {
  const wanted = restless.filter(
    (row) => isOf(state, row) && row.repository.toLowerCase().includes(contains.toLowerCase()),
  );
  const from = after === "" ? 0 : wanted.findIndex(({ repository }) => repository === after) + 1;
  const rows = wanted.slice(from, from + ROWS);
  const hasMore = wanted.length > from + ROWS;
  return { rows, next: hasMore ? rows.at(-1)?.repository : undefined, goesOn: false, looked: wanted.length };
}

/** Makes the page. */
export function repositoriesPage(survey: Survey, request: ListRequest, listed: Listed): Html {
  const { contains, state } = request;
  return html`<h1>Repositories</h1>
<form class="search" method="get" action="/status/repositories" role="search">
<label for="q">Name contains</label> <input id="q" name="q" type="search" value="${contains}" maxlength="${TEXT_LIMIT}" autocomplete="off" spellcheck="false">
${state !== "" && html`<input type="hidden" name="state" value="${state}">`}<button>Search</button>
</form>
<nav aria-label="Filter"><ul class="filter">${filters(survey, request)}</ul></nav>
${state === "unknown" ? unknown(survey, contains) : found(survey, request, listed)}
`;
}

const WORDS: Readonly<Record<ListRequest["state"], string>> = {
  "": "all",
  stopped: "stopped",
  broken: "broken",
  unsafe: "unsafe",
  behind: "behind",
  writing: "writing",
  unknown: "not in the database",
};

function filters({ repositories, counts, unknown: directories }: Survey, { contains, state }: ListRequest): Html[] {
  return STATES.map((each) => {
    const many = each === "" ? repositories : each === "unknown" ? directories.length : counts[each];
    const current = each === state && html` aria-current="true"`;
    return html`<li><a href="${addressOf({ contains, state: each, after: "" })}"${current}>${WORDS[each]} <b>${many.toLocaleString("en-US")}</b></a></li>`;
  });
}

function found(survey: Survey, request: ListRequest, { rows, next, goesOn, looked }: Listed): Html {
  const { after, state, contains } = request;
  const onward = goesOn ? `Search on after ${count(looked, "name")}` : "Next page";
  const pages = html`<nav class="pages" aria-label="Pages of the list">${
    after !== "" && html`<a href="${addressOf({ ...request, after: "" })}">First page</a> `
  }${next !== undefined && html`<a rel="next" href="${addressOf({ ...request, after: next })}">${onward}</a>`}</nav>`;
  const all = state !== "" && survey.restless.length >= KEPT;
  return html`${
    rows.length === 0
      ? html`<p class="empty">${contains === "" && state === "" && after === "" ? "There is no repository yet." : "No repository is like that."}</p>`
      : table(
          `Repositories${state === "" ? "" : `: ${WORDS[state]}`}`,
          ["repository", { head: "version", numbers: true }, "state", "last write"],
          rows.map(statusCells),
        )
  }${state !== "" && html`<p>As of ${ago(survey.countedAt)}${!survey.whole && "; still counting"}.${all && ` Only the first ${KEPT} that are not at rest are listed.`}</p>`}
${pages}`;
}

function unknown({ unknown: directories, at }: Survey, contains: string): Html {
  const shown = directories.filter(({ path }) => path.toLowerCase().includes(contains.toLowerCase()));
  if (shown.length === 0) return html`<p class="empty">Every directory on the disks is known.</p>`;
  return html`<p>The database does not know these directories. <code class="command">lockstep repo adopt NAME</code> takes one in, on its device; nothing else touches them. As of ${ago(at)}.</p>
${table(
  "Directories that the database does not know",
  ["path", "device", "what"],
  shown
    .slice(0, 4 * ROWS)
    .map(({ path, device, version }) => [
      path,
      device,
      version === null ? "a repository" : `a replica at version ${version}`,
    ]),
)}${shown.length > 4 * ROWS && html`<p>${count(shown.length - 4 * ROWS, "more", "more")} ${shown.length - 4 * ROWS === 1 ? "is" : "are"} not shown: search for a part of the path.</p>`}
`;
}

function addressOf({ contains, state, after }: ListRequest): string {
  const parameters = new URLSearchParams();
  if (contains !== "") parameters.set("q", contains);
  if (state !== "") parameters.set("state", state);
  if (after !== "") parameters.set("after", after);
  const query = parameters.toString();
  return `/status/repositories${query === "" ? "" : `?${query}`}`;
}

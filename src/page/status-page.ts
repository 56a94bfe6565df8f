// The status page: what stands at which address. It only reads. Few statements run at once, and all who look at the
// same share one. No request waits long: a page says what it could not read.
import { describe, LockstepError } from "../errors.ts";
import { repositoryName } from "../names.ts";
import { listCommands } from "../store/command/find-commands.ts";
import type { Database } from "../store/database/database.ts";
import type { SyncContext } from "../sync/device/context.ts";
import { adviseCluster } from "./advice.ts";
import { adviseRepository } from "./advise-repositories.ts";
import { atAGlance, verdictOn, verdictOnOne } from "./at-a-glance.ts";
import { commandTable } from "./history.ts";
import { type Answer, fileAnswer, pageAnswer } from "./parts/answer.ts";
import { framed, type Page } from "./parts/frame.ts";
import { type Html, html } from "./parts/html.ts";
import { Busy, inTime, Shared, TooSlow } from "./parts/shared.ts";
import { type ListRequest, listOf, listRequest, repositoriesPage } from "./repositories.ts";
import { readDetails, statusOf } from "./repository.ts";
import { repositoryPage } from "./repository-page.ts";
import { type Survey, Surveyor } from "./survey.ts";
import { databaseIsAway, replicaHere } from "./what-is-known.ts";

/** Requests at once. They are quick, unless the database is slow. */
const REQUESTS = 32;
/** A page waits this long for the first survey, or for what it shows. */
const PATIENCE_MS = 2_500;
/** A page that has an older survey waits this long for a new one. */
const SOON_MS = 300;
const COMMANDS = 50;
const NOT_FOUND = ["REPOSITORY_NOT_FOUND", "INVALID_NAME"];
/** The largest bigint of PostgreSQL. */
const LAST = (1n << 63n) - 1n;

export interface PageSource {
  readonly db: Database;
  readonly device: string;
  /** undefined: the sidecar is starting. */
  readonly context: () => SyncContext | undefined;
  readonly log: { warn: (fields: Record<string, unknown>, message: string) => void };
}

/** What one page shows. */
type Shown = Omit<Page, "device"> & { readonly status?: number };

/** Answers requests for the status page. */
export class StatusPage {
  readonly #source: PageSource;
  readonly #surveyor: Surveyor;
  readonly #shared = new Shared<Shown>();
  #requests = 0;

  constructor(source: PageSource) {
    this.#source = source;
    this.#surveyor = new Surveyor(source.db, () => source.context()?.upkeep.scrubDays ?? 0);
  }

  async answer(path: string, parameters: URLSearchParams): Promise<Answer> {
    if (this.#requests >= REQUESTS) return this.#page(busy());
    this.#requests += 1;
    try {
      const file = path.startsWith(FILES) ? await fileAnswer(path.slice(FILES.length)) : undefined;
      return file ?? this.#page(await this.#shown(path, parameters));
    } finally {
      this.#requests -= 1;
    }
  }

  #page({ status = 200, ...page }: Shown): Answer {
    return pageAnswer(status, framed({ ...page, device: this.#source.device }));
  }

  async #shown(path: string, parameters: URLSearchParams): Promise<Shown> {
    const name = path.startsWith(REPOSITORIES) ? decoded(path.slice(REPOSITORIES.length)) : undefined;
    try {
      if (path === "/" || path === "/status") return await this.#cluster();
      if (path === "/status/repositories") return await this.#list(listRequest(parameters));
      if (path === "/status/commands") return await this.#commands(numberOf(parameters.get("before")));
      if (name !== undefined) return await this.#repository(repositoryName(name), numberOf(parameters.get("before")));
      return missing("There is no such page.");
    } catch (error) {
      if (error instanceof Busy) return busy();
      if (error instanceof LockstepError && NOT_FOUND.includes(error.code)) return missing(error.message);
      if (error instanceof TooSlow || (error instanceof LockstepError && error.code === "DATABASE_UNAVAILABLE"))
        return this.#away(describe(error), name);
      this.#source.log.warn({ err: describe(error), path }, "the status page failed");
      return { ...missing("The page could not be made. The log of the sidecar says why."), status: 500 };
    }
  }

  /** Returns the survey, a new one if it comes soon. Throws DATABASE_UNAVAILABLE or TooSlow if there is none. */
  async #survey(): Promise<Survey> {
    const before = this.#surveyor.latest;
    const coming = inTime(this.#surveyor.refresh(), before === undefined ? PATIENCE_MS : SOON_MS);
    await coming.catch(() => {});
    const { latest, failure } = this.#surveyor;
    if (latest !== undefined) return latest;
    throw failure === undefined
      ? new TooSlow("the first look at all repositories is not done yet; this page shows it when it is")
      : new LockstepError("DATABASE_UNAVAILABLE", failure.said);
  }

  async #cluster(): Promise<Shown> {
    const context = this.#source.context();
    const survey = await this.#survey();
    const findings = adviseCluster(survey, context?.warnings() ?? []);
    const { failure } = this.#surveyor;
    const away = failure && databaseIsAway(context, failure, survey.at);
    const verdict = failure ? AWAY : verdictOn(survey, findings);
    const body = html`${away}${atAGlance(survey, findings)}`;
    return { title: "At a glance", place: "/status", at: survey.at, verdict, body };
  }

  async #list(request: ListRequest): Promise<Shown> {
    const survey = await this.#survey();
    const key = JSON.stringify(request);
    const read = async (): Promise<Shown> => {
      const listed = await listOf(this.#source.db, survey, request);
      const findings = adviseCluster(survey, this.#source.context()?.warnings() ?? []);
      const body = repositoriesPage(survey, request, listed);
      const verdict = this.#surveyor.failure ? AWAY : verdictOn(survey, findings);
      return { title: "Repositories", place: "/status/repositories", at: survey.at, verdict, body };
    };
    return await inTime(this.#shared.get(`list ${key}`, read), PATIENCE_MS);
  }

  async #repository(name: string, before: bigint | null): Promise<Shown> {
    const survey = await this.#survey();
    const read = async (): Promise<Shown> => {
      const details = await readDetails(this.#source.db, name, before);
      const status = statusOf(details);
      const findings = adviseRepository(status, survey);
      const body = repositoryPage(details, findings);
      const verdict = verdictOnOne(status, findings);
      return { title: name, place: "/status/repositories", at: details.at, verdict, body };
    };
    return await inTime(this.#shared.get(`repository ${before} ${name}`, read), PATIENCE_MS);
  }

  async #commands(before: bigint | null): Promise<Shown> {
    const survey = await this.#survey();
    const read = async (): Promise<Shown> => {
      const commands = await listCommands(this.#source.db, { before, limit: COMMANDS });
      const oldest = commands.length === COMMANDS ? commands.at(-1)?.ordinal : undefined;
      const pages = html`<nav class="pages" aria-label="Pages of the list">${
        before !== null && html`<a href="/status/commands">Newest commands</a> `
      }${oldest !== undefined && html`<a rel="next" href="/status/commands?before=${oldest}">Older commands</a>`}</nav>`;
      const body = html`<h1>Commands</h1>${commandTable("Commands of the queue, the newest first", commands, true)}${pages}`;
      const verdict = verdictOn(survey, adviseCluster(survey, []));
      return { title: "Commands", place: "/status/commands", at: new Date(), verdict, body };
    };
    return await inTime(this.#shared.get(`commands ${before}`, read), PATIENCE_MS);
  }

  /** Makes the page while the database does not answer: what this device knows by itself. */
  #away(said: string, name: string | undefined): Shown {
    const context = this.#source.context();
    const failure = this.#surveyor.failure ?? { said, since: new Date() };
    const body: Html = html`${databaseIsAway(context, failure, undefined)}${name !== undefined && replicaHere(context, name)}`;
    return { title: "PostgreSQL does not answer", place: "/status", at: undefined, verdict: AWAY, body, status: 503 };
  }
}

const FILES = "/status/files/";
const REPOSITORIES = "/status/repositories/";
const AWAY = { tone: "bad", said: "Not well: PostgreSQL does not answer this device." } as const;

function missing(said: string): Shown {
  const verdict = { tone: "note", said } as const;
  const body = html`<p><a href="/status/repositories">All repositories</a></p>`;
  return { title: "Not here", place: "/status/repositories", at: undefined, verdict, body, status: 404 };
}

function busy(): Shown {
  const verdict = { tone: "warn", said: "This server answers as many questions as it can; try again." } as const;
  return { title: "Busy", place: "/status", at: undefined, verdict, body: "", status: 503 };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Reads a number of a query. null: there is none that PostgreSQL takes. */
function numberOf(text: string | null): bigint | null {
  if (text === null || !/^\d{1,19}$/.test(text)) return null;
  const number = BigInt(text);
  return number > LAST ? null : number;
}

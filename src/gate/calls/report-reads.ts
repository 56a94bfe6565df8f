// Tells the sidecar what the gate has served and refused, for the pull log and the push log. The gate has no database.
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { NO_WAITS, type PullEvent, type Client as Reader, refusalOf, shortText } from "../../activity/activity.ts";
import { EventLog, type SampledPull } from "../../activity/event-log.ts";
import type { Client } from "../../client/client.ts";
import { describe } from "../../errors.ts";
import { toDuration } from "../../protocol/times.ts";
import { WAITS } from "../../waits.ts";
import type { ServedRequest } from "../served.ts";

/** How many rows one call has. */
const BATCH = 500;

interface ReadsOptions {
  readonly log: Logger;
  /** The time of a call. */
  readonly timeoutMs: number;
  readonly pullsPerRound: number;
}

/** Collects requests, and tells of them about once a second. */
export class GateReads {
  readonly #events: EventLog;
  readonly #log: Logger;
  readonly #client: Client;
  readonly #timeoutMs: number;

  constructor(client: Client, { log, timeoutMs, pullsPerRound }: ReadsOptions) {
    this.#client = client;
    this.#log = log;
    this.#timeoutMs = timeoutMs;
    this.#events = new EventLog({
      pullsPerRound,
      onDropped: (name, count) => log.warn({ count }, `rows of the log of ${name} were dropped`),
    });
  }

  /** Notes a request that was answered, or refused with that error. */
  readonly note = (served: ServedRequest, error?: unknown): void => {
    const { repository, service, what, status, waitMs = 0, durationMs, version } = served;
    // git asks without a password first. Refused passwords are in the audit.
    if (repository === undefined || status === 401) return;
    const isRefused = error !== undefined;
    if (!isRefused && what === undefined) return;
    const answered = {
      ...{ repository, repositoryId: null, endedAt: performance.now(), client: readerOf(served), durationMs },
      ...{ version: version === undefined ? null : BigInt(version), code: null, reason: null },
      ...(isRefused && refusalOf(error)),
    };
    if (isRefused && service === "receive-pack") {
      const waits = { ...NO_WAITS, reads: waitMs };
      this.#events.pushed({ ...answered, result: "refused", version: null, refs: [], refsTotal: 0, waits });
      return;
    }
    const result = isRefused ? "refused" : served.fetched ? "caught_up" : "current";
    this.#events.pulled(() => ({ ...answered, what: what ?? "read", result, waitMs }));
  };

  /** Tells the sidecar until the signal aborts. Never rejects. */
  async keepTelling(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await sleep(WAITS.eventsMs, undefined, { signal: stop }).catch(() => {});
      await this.tell();
    }
  }

  /** Tells of the noted requests. After a failure it tells of them the next time. Never rejects. */
  async tell(): Promise<void> {
    const { pushes, pulls } = this.#events.take();
    const timeoutMs = this.#timeoutMs;
    try {
      for (; pushes.length > 0; pushes.splice(0, BATCH)) {
        const reads = pushes
          .slice(0, BATCH)
          .map((push) => encode({ ...push, what: "push", waitMs: push.waits.reads }, 1));
        await this.#client.call("ReportReads", { reads }, { timeoutMs });
      }
      for (; pulls.length > 0; pulls.splice(0, BATCH)) {
        const reads = pulls.slice(0, BATCH).map(({ pull, standsFor }: SampledPull) => encode(pull, standsFor));
        await this.#client.call("ReportReads", { reads }, { timeoutMs });
      }
    } catch (error) {
      this.#events.giveBack({ pushes, pulls });
      this.#log.debug({ err: describe(error) }, "could not tell the sidecar what was read; it is told later");
    }
  }
}

function readerOf({ user, address, requestId }: ServedRequest): Reader {
  return { author: shortText(user ?? "anonymous"), address: address ?? null, way: "http", requestId };
}

function encode(read: Omit<PullEvent, "result"> & { readonly result: string }, standsFor: number) {
  const { repository, client, what, version, waitMs, durationMs, endedAt, code, reason } = read;
  return {
    repository,
    reader: {
      user: client.author,
      address: shortText(client.address ?? ""),
      requestId: shortText(client.requestId ?? ""),
    },
    what,
    version: String(version ?? 0n),
    fetched: read.result === "caught_up",
    waited: toDuration(waitMs),
    took: toDuration(durationMs),
    ago: toDuration(performance.now() - endedAt),
    code: code ?? "",
    reason: reason ?? "",
    standsFor,
  };
}

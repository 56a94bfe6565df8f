// Watchers and webhooks that listen all the time. A watcher goes to another device every few seconds, with its last
// cursor. In the end each of them must have been told the whole log.
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "../../src/client/client.ts";
import { PATIENCE } from "../support/cluster-device.ts";
import { Receiver } from "../support/receiver.ts";
import type { TortureCluster } from "./cluster.ts";
import { type History, recordsOf, type Watched } from "./history.ts";
import { firstNameOf } from "./placed.ts";

const VISIBLE = ["VISIBLE_LANDED", "VISIBLE_EVERYWHERE"] as const;
/** A device may hang, so no stream lasts longer. */
const STREAM_MS = 5_000;
const PAUSE_MS = 100;
/** From the end of all faults until everything is told: a lease may have to end before another device delivers. */
const TOLD_MS = 90_000;

type Version = Watched["versions"][number];

export class Watchers implements AsyncDisposable {
  readonly #cluster: TortureCluster;
  readonly #receiver: Receiver;
  readonly #stop = new AbortController();
  readonly #told: { readonly by: string; readonly versions: Version[] }[] = [];
  readonly #running: Promise<void>[] = [];

  private constructor(cluster: TortureCluster, receiver: Receiver) {
    this.#cluster = cluster;
    this.#receiver = receiver;
  }

  /** Starts a watcher and a webhook for each way in which events become visible. */
  static async start(cluster: TortureCluster): Promise<Watchers> {
    const receiver = await Receiver.start();
    const watchers = new Watchers(cluster, receiver);
    for (const visible of VISIBLE) {
      const request = { url: `${receiver.url}/${visible}`, visible };
      await cluster.members[0]!.host.device.call("AddHook", request, PATIENCE);
      const versions: Version[] = [];
      watchers.#told.push({ by: `watch ${visible}`, versions });
      watchers.#running.push(watchers.#watch(visible, versions));
    }
    return watchers;
  }

  /** Waits until everything in the log was told, and returns what was told to whom. */
  async end(log: History): Promise<Watched[]> {
    const wanted = recordsOf(log, "log").length;
    const deadline = Date.now() + TOLD_MS;
    const isTold = ({ versions }: Watched) => new Set(versions.map((each) => JSON.stringify(each))).size >= wanted;
    while (!this.#records().every(isTold) && Date.now() < deadline) await delay(PAUSE_MS);
    return this.#records();
  }

  #records(): Watched[] {
    const hooks = VISIBLE.map((visible): Watched => {
      const mine = this.#receiver.posted.filter(({ path }) => path.endsWith(`/${visible}`));
      const versions = mine.map(({ body }) => versionOf(body.repository, body.version));
      return { record: "watched", by: `hook ${visible}`, mayRepeat: true, versions };
    });
    const watched = this.#told.map((told): Watched => ({ record: "watched", mayRepeat: false, ...told }));
    return [...watched, ...hooks];
  }

  async #watch(visible: (typeof VISIBLE)[number], versions: Version[]): Promise<void> {
    let cursor = "beginning";
    for (let turn = 0; !this.#stop.signal.aborted; turn += 1) {
      const { members } = this.#cluster;
      const { device } = members[turn % members.length]!.host;
      const enough = new AbortController();
      const timer = setTimeout(() => enough.abort(), STREAM_MS);
      const onStop = () => enough.abort();
      this.#stop.signal.addEventListener("abort", onStop, { once: true });
      try {
        using client = new Client({ socket: device.demo.socket });
        for await (const told of client.stream("Watch", { cursor, visible }, enough.signal)) {
          cursor = told.cursor;
          if (told.entry) versions.push(versionOf(told.repository, told.entry.version));
        }
      } catch {
        // The device stops, its database is away, or the time of the stream is over.
      } finally {
        clearTimeout(timer);
        this.#stop.signal.removeEventListener("abort", onStop);
      }
      await delay(PAUSE_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
    await this.#receiver[Symbol.asyncDispose]();
  }
}

/** The history calls a repository by its first name. */
function versionOf(name: string, version: string | number): Version {
  return { repository: firstNameOf(name), version: Number(version) };
}

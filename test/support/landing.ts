// Lands versions as rows, without a disk, in transactions that a test commits when it likes.
import pg from "pg";
import { createRepository } from "../../src/store/repository/repositories.ts";
import { beginWatch, type WatchRequest } from "../../src/sync/watch/begin-watch.ts";
import type { TestCluster } from "./sync-cluster.ts";
import type { TestDevice } from "./sync-device.ts";

/** Makes a repository, whose replicas on the devices claim to hold every version that lands. */
export async function currentRepository(name: string, devices: readonly TestDevice[]): Promise<string> {
  const [first] = devices as [TestDevice];
  const { id } = await createRepository(first.context.db, {
    name,
    devices: devices.map((device) => device.name),
    defaultBranch: "main",
    objectFormat: "sha1",
  });
  return id;
}

/** Says that a device holds a version of a repository. */
export async function claimVersion(cluster: TestCluster, id: string, device: string, version: number): Promise<void> {
  await cluster.sql(
    "update lockstep.replica set version = $3, state = 'active' where repository_id = $1 and device = $2",
    [id, device, version],
  );
}

/** A connection that lands versions. Disposal rolls back what is not committed. */
export class Landing implements AsyncDisposable {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async connect(cluster: TestCluster): Promise<Landing> {
    const client = new pg.Client({ connectionString: cluster.url });
    client.on("error", () => {});
    await client.connect();
    return new Landing(client);
  }

  async sql(text: string, values: unknown[] = []): Promise<void> {
    await this.#client.query(text, values);
  }

  /** Appends the next version as `lockstep.bump` does, with `updates` changed refs. */
  async land(id: string, updates = 1): Promise<void> {
    await this.sql("select from lockstep.repository where id = $1 for no key update", [id]);
    await this.sql(
      `select lockstep.append(gen_random_uuid(), r.id, r.head_version + 1, 'repo001', 1, 'ada', r.head_digest,
         u.names, u.old_values, u.new_values, '{}')
       from lockstep.repository r, lateral (
         select array_agg(convert_to('refs/heads/' || r.head_version || '/' || i, 'UTF8')) as names,
           array_agg(null::bytea) as old_values, array_agg(convert_to(repeat('a', 40), 'UTF8')) as new_values
         from generate_series(1, $2::int) i) u
       where r.id = $1`,
      [id, updates],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }
}

/** Collects what a watcher is told, until it is disposed of. */
export class Told implements Disposable {
  /** "REPOSITORY VERSION" of each event. */
  readonly events: string[] = [];
  /** The cursor of each event. */
  readonly cursors: string[] = [];
  readonly begun: Promise<string>;
  /** Resolves when the watcher has ended by an error, with that error. */
  readonly ended: Promise<unknown>;
  readonly #stop = new AbortController();

  constructor(device: TestDevice, request: Partial<WatchRequest> = {}) {
    const whole = { cursor: "", repositories: [], visible: "landed" as const, ...request };
    const watcher = beginWatch(device.context, whole, this.#stop.signal);
    this.begun = watcher.then(({ cursor }) => cursor);
    this.begun.catch(() => {});
    this.ended = watcher
      .then(async (begun) => {
        for await (const { cursor, event } of begun.events()) {
          if (event === undefined) continue;
          this.events.push(`${event.repository} ${event.entry.version}`);
          this.cursors.push(cursor);
        }
      })
      .catch((error: unknown) => error);
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }
}

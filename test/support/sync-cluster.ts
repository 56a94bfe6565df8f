// A cluster of devices (sync-device.ts) with a database of its own.
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { expect, vi } from "vitest";
import { createRepository } from "../../src/store/repository/repositories.ts";
import { administer } from "./administer.ts";
import { migratedDatabase } from "./database.ts";
import { DeviceLogins } from "./device-logins.ts";
import type { StartOptions } from "./device-parts.ts";
import { processesAt } from "./git.ts";
import { SOON, TestDevice } from "./sync-device.ts";

/** Disposal stops the devices, and throws if a device left a process behind. */
export class TestCluster implements AsyncDisposable {
  readonly dir: string;
  readonly url: string;
  readonly devices = new Map<string, TestDevice>();
  readonly #database: AsyncDisposable;
  /** Tests that wait for a row ask again and again. A new connection each time took most of their processor time. */
  readonly #connections: pg.Pool;
  readonly #logins: DeviceLogins | undefined;

  private constructor(dir: string, database: AsyncDisposable & { url: string }, deviceLogins: boolean) {
    this.dir = dir;
    this.#logins = deviceLogins ? new DeviceLogins(database.url) : undefined;
    this.url = database.url;
    this.#database = database;
    this.#connections = new pg.Pool({ connectionString: this.url, application_name: "lockstep test support" });
    // A connection that a test breaks is replaced.
    this.#connections.on("error", () => {});
  }

  /** `deviceLogins`: each device has a login of its own to the database. */
  static async make({ deviceLogins = false } = {}): Promise<TestCluster> {
    const dir = await realpath(await mkdtemp(join(tmpdir(), "lockstep-cluster-")));
    return new TestCluster(dir, await migratedDatabase(), deviceLogins);
  }

  async start(name: string, options: StartOptions = {}): Promise<TestDevice> {
    await this.devices.get(name)?.crash();
    const databaseUrl = options.databaseUrl ?? (await this.#logins?.urlOf(name)) ?? this.url;
    const device = await TestDevice.start(this, name, { ...options, databaseUrl });
    this.devices.set(name, device);
    return device;
  }

  /** Makes a repository with replicas on these devices. Returns when each device has looked at its replica. */
  async create(
    name: string,
    devices: readonly TestDevice[],
    options: { defaultBranch?: string; objectFormat?: "sha1" | "sha256" } = {},
  ): Promise<string> {
    const [first] = devices as [TestDevice];
    const { id } = await createRepository(first.context.db, {
      name,
      devices: devices.map((device) => device.name),
      defaultBranch: options.defaultBranch ?? "main",
      objectFormat: options.objectFormat ?? "sha1",
    });
    await Promise.all(devices.map((device) => device.read(name)));
    return id;
  }

  /** Makes a repository that is on all devices. Returns when each of these has looked at its replica. */
  async createEverywhere(name: string, devices: readonly TestDevice[]): Promise<string> {
    const { context } = devices[0] as TestDevice;
    const request = { name, devices: [], defaultBranch: "main", objectFormat: "sha1" as const };
    const { id } = await createRepository(context.db, request);
    await Promise.all(devices.map((device) => device.read(name)));
    return id;
  }

  /** Starts two devices with replicas of a new, empty repository. */
  async pair(repository: string): Promise<[TestDevice, TestDevice]> {
    const pair: [TestDevice, TestDevice] = [await this.start("repo001"), await this.start("repo002")];
    await this.create(repository, pair);
    return pair;
  }

  /** Gives a device a pending replica of a repository that exists. */
  async addReplica(name: string, device: TestDevice): Promise<void> {
    await this.sql(
      "insert into lockstep.replica (repository_id, device) select id, $2 from lockstep.repository where name = $1",
      [name, device.name],
    );
  }

  async sql<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.#connections.query<Row>(text, values)).rows;
  }

  /** Makes the database refuse all clients until the returned value is disposed of. */
  async databaseGone(): Promise<AsyncDisposable> {
    const name = new URL(this.url).pathname.slice(1);
    const allow = async (allowed: boolean) => {
      const server = new URL(this.url);
      server.pathname = "/postgres";
      await administer(server.href, async (client) => {
        await client.query(`alter database ${name} with allow_connections ${allowed}`);
        await client.query(
          "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and backend_type = 'client backend'",
          [name],
        );
      });
    };
    await allow(false);
    return { [Symbol.asyncDispose]: () => allow(true) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const device of this.devices.values()) await device.crash();
    const left = await vi
      .waitFor(async () => expect(await processesAt(this.dir)).toEqual([]), SOON)
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    await this.#connections.end();
    await this.#database[Symbol.asyncDispose]();
    await this.#logins?.[Symbol.asyncDispose]();
    await rm(this.dir, { recursive: true, force: true, maxRetries: 3 });
    if (left !== undefined) throw left;
  }
}

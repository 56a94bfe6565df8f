// Gives each device of a cluster of processes a login of its own to PostgreSQL, as docs/security.md says.
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, inject } from "vitest";
import { administer } from "./administer.ts";
import type { Cluster } from "./cluster.ts";

export class ClusterLogins implements AsyncDisposable {
  /** The file with the URL of the owner of the schema. */
  readonly owner: string;
  readonly #urls = new Map<string, string>();
  /** Roles belong to the whole server, which other tests use too. */
  readonly #run = randomBytes(4).toString("hex");
  readonly #devices: readonly string[];
  #group: string | undefined;

  private constructor(cluster: Cluster) {
    this.#devices = cluster.devices.map(({ name }) => name);
    this.owner = join(cluster.dir, "owner.url");
  }

  /** Makes the logins by the command line. The devices still use the owner's. */
  static async make(cluster: Cluster): Promise<ClusterLogins> {
    const logins = new ClusterLogins(cluster);
    await writeFile(logins.owner, cluster.databaseUrl, { mode: 0o600 });
    for (const device of cluster.devices) {
      const login = logins.loginOf(device.name);
      const password = randomBytes(16).toString("hex");
      const file = join(cluster.dir, `${device.name}.password`);
      await writeFile(file, `${password}\n`, { mode: 0o600 });
      const asked = ["--owner-url-file", logins.owner, "--password-file", file, "--login", login];
      const { code, document } = await device.lockstep("device", "login", device.name, ...asked);
      expect({ code, document }).toEqual({ code: 0, document: { device: device.name, login, made: true } });
      const url = new URL(cluster.databaseUrl);
      url.username = login;
      url.password = password;
      logins.#urls.set(device.name, url.href);
    }
    const { rows } = await administer(cluster.databaseUrl, (client) =>
      client.query<{ name: string }>("select lockstep.device_group() as name"),
    );
    logins.#group = rows[0]?.name;
    return logins;
  }

  loginOf(device: string): string {
    return `e2e_${this.#run}_${device}`;
  }

  /** Returns the database URL with the login of a device. */
  urlOf(device: string): string {
    return this.#urls.get(device) as string;
  }

  /** Drops the roles. The database must be gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    await administer(inject("postgresUrl"), async (client) => {
      for (const name of this.#devices) await client.query(`drop role if exists "${this.loginOf(name)}"`);
      if (this.#group) await client.query(`drop role if exists "${this.#group}"`);
    });
  }
}

// Logins to PostgreSQL that act for one device only, of a test's database. Disposal drops their roles, after the database.
import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import { Database } from "../../src/store/database/database.ts";
import { deviceGroup, makeDeviceLogin } from "../../src/store/device/device-logins.ts";
import { administer } from "./administer.ts";

export class DeviceLogins implements AsyncDisposable {
  /** The URL of the owner of the schema. */
  readonly #owner: string;
  readonly #roles = new Set<string>();
  readonly #urls = new Map<string, Promise<string>>();

  constructor(owner: string) {
    this.#owner = owner;
  }

  /** Returns the URL with the login of a device, which the first call makes. */
  async urlOf(device: string): Promise<string> {
    const url = this.#urls.get(device) ?? this.make(device);
    this.#urls.set(device, url);
    return await url;
  }

  /** Makes a login for a device and returns its URL. */
  async make(device: string): Promise<string> {
    const login = `t_${randomBytes(4).toString("hex")}_${device}`;
    const password = randomBytes(8).toString("hex");
    await using db = new Database({ url: this.#owner, applicationName: "owner" });
    const outcome = await makeDeviceLogin(db, { device, login }, { password, author: "ada" });
    if (outcome !== "made") throw new Error(`the login of ${device} is ${outcome}`);
    this.#roles.add(login).add(await deviceGroup(db));
    const url = new URL(this.#owner);
    url.username = login;
    url.password = password;
    return url.href;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await administer(inject("postgresUrl"), async (client) => {
      for (const role of this.#roles) await client.query(`drop role "${role}"`);
    });
  }
}

// The copy of the registry that each sidecar keeps in memory.
import { randomBytes } from "node:crypto";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Database } from "../../src/store/database/database.ts";
import { type Name, type PublicKey, revokeKey, trustKey } from "../../src/store/registry/registry.ts";
import { Registry } from "../../src/sync/registry/registry.ts";
import type { ShownKey } from "../../src/tls/trust.ts";
import { migratedDatabase, type TestDatabase } from "../support/database.ts";
import { soon } from "../support/soon.ts";

const SOON = soon(20);
const WEB: Name = { role: "frontend", name: "web" };

let database: TestDatabase;
let db: Database;
beforeEach(async () => {
  database = await migratedDatabase();
  db = new Database({ url: database.url, applicationName: "test" });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await db?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

function shown(name: Name, isNew = true): ShownKey {
  const fingerprint = `sha256:${randomBytes(32).toString("hex")}`;
  const key = { kind: "x509" as const, fingerprint, publicKey: "" };
  return { identity: { trustDomain: "x", ...name }, key, isNew, from: "127.0.0.1" };
}
let now = 0;
const log = pino({ level: "silent" });
const make = () => new Registry({ db, device: "repo001", trustsCa: false, log, now: () => now });
const trust = async ({ identity, key }: ShownKey) =>
  await trustKey(db, identity, { key: key as PublicKey, access: undefined, author: "olga" });
const revoke = async ({ identity }: ShownKey) =>
  await revokeKey(db, identity, { fingerprint: undefined, author: "olga", reason: "test" });

describe("without notifications", () => {
  it("a revoked key is refused, and listeners are called, once the copy is looked up again", async () => {
    const registry = make();
    const web = shown(WEB);
    await trust(web);
    await registry.look();
    expect(await registry.check(web)).toBeUndefined();
    const over = new AbortController();
    const running = registry.run(over.signal);
    const changes = vi.fn();
    using _ = registry.onChange(changes);
    await revoke(web);
    await vi.waitFor(async () => expect(await registry.check(web)).toMatchObject({ code: "UNAUTHENTICATED" }), SOON);
    expect(changes).toHaveBeenCalled();
    expect(registry.revokedError(web)).toBeDefined();
    over.abort();
    await running;
  });

  it("a key that was trusted on another device is let in at once", async () => {
    const registry = make();
    await registry.look();
    const web = shown(WEB);
    await trust(web);
    expect(await registry.check(web)).toBeUndefined();
  });

  it("the limits of a front end are known as soon as its key is let in", async () => {
    const registry = make();
    await registry.look();
    const web = shown(WEB);
    const access = { repositories: ["team/*"], readOnly: true };
    await trustKey(db, web.identity, { key: web.key as PublicKey, access, author: "olga" });
    expect(await registry.check(web)).toBeUndefined();
    expect(registry.accessOf(WEB)).toMatchObject(access);
  });
});

describe("a sidecar that cannot read the registry for a minute", () => {
  it("lets nobody new in, and goes on with connections that it has let in", async () => {
    const registry = make();
    const web = shown(WEB);
    await trust(web);
    await registry.look();
    now += 59_000;
    expect(await registry.check(web)).toBeUndefined();
    now += 2_000;
    expect(await registry.check(web)).toMatchObject({ code: "DATABASE_UNAVAILABLE" });
    expect(await registry.check({ ...web, isNew: false })).toBeUndefined();
    await registry.look();
    expect(await registry.check(web)).toBeUndefined();
  });
});

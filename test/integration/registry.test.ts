import { createHash, randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { queryOnce } from "../../src/store/database/database.ts";
import { listIdentities, listRefusedKeys } from "../../src/store/registry/list-identities.ts";
import {
  type Access,
  enrollKey,
  insertToken,
  type Name,
  type PublicKey,
  readRegistry,
  recordSeen,
  revokeKey,
  trustKey,
} from "../../src/store/registry/registry.ts";
import { stageWrite } from "../../src/store/write/writes.ts";
import { db, makeDatabaseOfFile } from "../support/file-database.ts";
import { incarnation, repository } from "../support/store-rows.ts";

makeDatabaseOfFile();

let names = 0;
function newName(role: Name["role"] = "device"): Name {
  names += 1;
  return { role, name: `n${names}-${role}` };
}

function newKey(): PublicKey {
  const fingerprint = `sha256:${createHash("sha256").update(randomUUID()).digest("hex")}`;
  return { kind: "x509", fingerprint, publicKey: null };
}

const shown = async (name: Name, key: PublicKey, open = false) =>
  (await enrollKey(db, { ...name, ...key, by: "repo001", open, source: "10.0.0.9" })).outcome;
const itself = async (
  { name }: Name,
  key: PublicKey,
  { root = null as string | null, token = "", open = false } = {},
) =>
  (
    await enrollKey(db, {
      ...{ role: "device" as const, name, ...key, by: name, open },
      self: { root, tokenHash: token === "" ? null : hash(token) },
    })
  ).outcome;
const hash = (token: string) => createHash("sha256").update(token).digest();
const trust = async (name: Name, key?: PublicKey, access?: Access) =>
  await trustKey(db, name, { key, access, author: "olga" });
const revoke = async (name: Name, key?: PublicKey) =>
  await revokeKey(db, name, { fingerprint: key?.fingerprint, author: "olga", reason: "stolen" });
const trusted = async ({ role, name }: Name) =>
  (await readRegistry(db)).keys.filter((key) => key.role === role && key.name === name && key.state === "trusted")
    .length;

describe("a device at its start", () => {
  it("is enrolled as the first one of the cluster, and the next one waits for a yes", async () => {
    const [first, next] = [newName(), newName()];
    const key = newKey();
    expect(await itself(first, newKey())).toBe("trusted");
    expect(await itself(next, key)).toBe("waiting");
    expect(await itself(next, key)).toBe("waiting");
    const { waiting } = await listIdentities(db, next);
    expect(waiting).toMatchObject([{ ...next, fingerprint: key.fingerprint, seenBy: next.name }]);
    expect(await trust(next)).toEqual({ outcome: "trusted", fingerprints: [key.fingerprint] });
    expect((await listIdentities(db, next)).waiting).toEqual([]);
    expect(await itself(next, key)).toBe("trusted");
  });

  it("takes writes while it asks for a key that it does not use yet, and none once it uses that key", async () => {
    const me = await incarnation(db);
    const { id } = await repository(db, me);
    const name = { role: "device" as const, name: me.device };
    const key = newKey();
    await trust(name, newKey());
    const staged = async () =>
      (await stageWrite(db, me, { writeId: randomUUID(), repositoryId: id, base: 0n, author: "ada", names: [] }))
        .outcome;
    const ask = async (candidate: boolean) => {
      const self = { root: null, tokenHash: null, candidate };
      return (await enrollKey(db, { ...name, ...key, by: me.device, open: false, self })).outcome;
    };
    expect([await ask(true), await staged()]).toEqual(["waiting", "staged"]);
    expect([await ask(false), await staged()]).toEqual(["waiting", "elsewhere"]);
  });

  it("is enrolled with a token, once, and only under the name of the token", async () => {
    const [name, other] = [newName(), newName()];
    await insertToken(db, name, { hash: hash("t1"), minutes: 60, author: "olga" });
    expect(await itself(other, newKey(), { token: "t1" })).toBe("waiting");
    expect(await itself(name, newKey(), { token: "t2" })).toBe("waiting");
    expect(await itself(name, newKey(), { token: "t1" })).toBe("trusted");
    expect(await itself(name, newKey(), { token: "t1" })).toBe("waiting");
  });

  it("is not enrolled with a token whose hour is over", async () => {
    const name = newName();
    await insertToken(db, name, { hash: hash("t3"), minutes: 0, author: "olga" });
    expect(await itself(name, newKey(), { token: "t3" })).toBe("waiting");
  });

  it("is enrolled where a live device lets in certificates of the authority", async () => {
    const open = await incarnation(db);
    expect(await itself(newName(), newKey())).toBe("waiting");
    await queryOnce(db.work, "update lockstep.device set trusts_ca = true where name = $1", [open.device]);
    expect(await itself(newName(), newKey())).toBe("trusted");
    await queryOnce(db.work, "update lockstep.device set expires_at = clock_timestamp() where name = $1", [
      open.device,
    ]);
    expect(await itself(newName(), newKey())).toBe("waiting");
  });

  it("may change its key if it has the root of that device; the oldest of three keys ends", async () => {
    const me = await incarnation(db);
    const name: Name = { role: "device", name: me.device };
    const [row] = await queryOnce<{ root_id: string }>(db.work, "select root_id from lockstep.device where name = $1", [
      me.device,
    ]);
    const root = row!.root_id;
    const [one, two, three] = [newKey(), newKey(), newKey()];
    await trust(name, one);
    expect(await itself(name, two, { root: randomUUID() })).toBe("waiting");
    expect(await itself(name, two, { root })).toBe("trusted");
    expect(await itself(name, three, { root })).toBe("trusted");
    expect(await shown(name, one)).toBe("revoked");
    expect(await shown(name, two)).toBe("trusted");
    await revoke(name);
    expect(await itself(name, newKey(), { root })).toBe("waiting");
  });
});

describe("a caller", () => {
  it("a caller with a new name is enrolled only where --trust-ca is set, and must show the same key from then on", async () => {
    const name = newName("frontend");
    const key = newKey();
    expect(await shown(name, key)).toBe("waiting");
    expect(await shown(name, key, true)).toBe("trusted");
    expect(await shown(name, key)).toBe("trusted");
    expect(await shown(name, newKey(), true)).toBe("waiting");
  });

  it("a caller that is revoked stays out, also with another key and with --trust-ca, until it is trusted", async () => {
    const name = newName("operator");
    const [key, other] = [newKey(), newKey()];
    await shown(name, key, true);
    expect(await revoke(name)).toEqual({ outcome: "revoked", fingerprints: [key.fingerprint], trusted: 0 });
    expect(await revoke(name)).toEqual({ outcome: "revoked", fingerprints: [], trusted: 0 });
    expect(await shown(name, key, true)).toBe("revoked");
    expect(await shown(name, other, true)).toBe("waiting");
    await revokeKey(db, name, { fingerprint: undefined, author: "olga", reason: "forget the one that waits" });
    expect(await trust(name)).toEqual({ outcome: "trusted", fingerprints: [key.fingerprint] });
    expect(await shown(name, key)).toBe("trusted");
  });

  it("may be limited, and given other limits without another key", async () => {
    const name = newName("frontend");
    await trust(name, newKey(), { repositories: ["team/*"], readOnly: true });
    const limits = async () => (await listIdentities(db, name)).principals;
    expect(await limits()).toEqual([{ ...name, repositories: ["team/*"], readOnly: true }]);
    expect((await trust(name, undefined, { repositories: [], readOnly: false })).outcome).toBe("trusted");
    expect(await limits()).toEqual([{ ...name, repositories: [], readOnly: false }]);
    expect((await trust(name)).outcome).toBe("unknown");
  });
});

describe("an operator", () => {
  it("trusts two keys of a name at once, and a third only after one of them is revoked", async () => {
    const name = newName();
    const [one, two, three] = [newKey(), newKey(), newKey()];
    for (const key of [one, two]) expect((await trust(name, key)).outcome).toBe("trusted");
    expect((await trust(name, three)).outcome).toBe("full");
    expect(await revoke(name, one)).toMatchObject({ outcome: "revoked", trusted: 1 });
    expect((await trust(name, three)).outcome).toBe("trusted");
    expect(await trusted(name)).toBe(2);
  });

  it("has to name one of several keys that wait", async () => {
    const name = newName();
    const [one, two] = [newKey(), newKey()];
    await shown(name, one);
    await shown(name, two);
    expect(await trust(name)).toMatchObject({ outcome: "several" });
    expect((await trust(name, two)).outcome).toBe("trusted");
    expect((await listIdentities(db, name)).waiting.map(({ fingerprint }) => fingerprint)).toEqual([one.fingerprint]);
  });

  it("is told that there is nothing to trust or to revoke", async () => {
    const name = newName();
    expect((await trust(name)).outcome).toBe("unknown");
    expect((await revoke(name)).outcome).toBe("missing");
    await trust(name, newKey());
    expect((await revoke(name, newKey())).outcome).toBe("missing");
  });

  it("cannot trust one ssh key for two names", async () => {
    const key: PublicKey = { kind: "ssh", fingerprint: `SHA256:${"a".repeat(43)}`, publicKey: null };
    expect((await trust(newName(), key)).outcome).toBe("trusted");
    expect((await trust(newName(), key)).outcome).toBe("taken");
  });

  it("who revokes a device drops its writes under way and keeps it from others; trust lets it write again", async () => {
    const me = await incarnation(db);
    const name: Name = { role: "device", name: me.device };
    const { id } = await repository(db, me);
    const stage = (writeId: string) =>
      stageWrite(db, me, { writeId, repositoryId: id, base: 0n, author: "ada", names: [] });
    await trust(name, newKey());
    const writeId = randomUUID();
    expect((await stage(writeId)).outcome).toBe("staged");
    await revoke(name);
    expect(await queryOnce(db.work, "select status from lockstep.write where id = $1", [writeId])).toEqual([
      { status: "dropped" },
    ]);
    expect((await stage(randomUUID())).outcome).toBe("elsewhere");
    await trust(name);
    expect((await stage(randomUUID())).outcome).toBe("staged");
  });
});

it("a revoked key that is still shown is listed, and one that is not shown is not", async () => {
  const [loud, quiet] = [newName(), newName()];
  const [one, two] = [newKey(), newKey()];
  for (const [name, key] of [
    [loud, one],
    [quiet, two],
  ] as const) {
    await trust(name, key);
    await recordSeen(db, [{ ...name, ...key }]);
    await revoke(name);
  }
  await recordSeen(db, [{ ...loud, ...one }]);
  const listed = (await listRefusedKeys(db)).credentials.map(({ name }) => name);
  expect(listed).toContain(loud.name);
  expect(listed).not.toContain(quiet.name);
});

it("at most five keys of a name wait, the newest", async () => {
  const name = newName();
  const keys = Array.from({ length: 7 }, newKey);
  for (const key of keys) await shown(name, key);
  const { waiting } = await listIdentities(db, name);
  expect(waiting.map(({ fingerprint }) => fingerprint).sort()).toEqual(
    keys
      .slice(2)
      .map(({ fingerprint }) => fingerprint)
      .sort(),
  );
});

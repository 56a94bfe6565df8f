// The key files of a device for ssh, and the rules by which the registry takes its keys.
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { readDeviceKey, readHostKey } from "../../src/ssh/key-files.ts";
import { WatchedSshKeys } from "../../src/ssh/watched-keys.ts";
import { Database } from "../../src/store/database/database.ts";
import { enrollKey, type PublicKey, readRegistry, revokeKey, trustKey } from "../../src/store/registry/registry.ts";
import { administer } from "../support/administer.ts";
import { migratedDatabase, type TestDatabase } from "../support/database.ts";
import { makeKey } from "../support/sshd.ts";

const PATH = process.env.PATH ?? "";
let dir: string;
let database: TestDatabase;
let db: Database;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ls-keys-"));
  database = await migratedDatabase();
  db = new Database({ url: database.url, applicationName: "test" });
});
afterEach(async () => {
  await db?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true });
});

describe("the file of --ssh-key", () => {
  it("must be an ed25519 key that only its owner may use, without a passphrase", async () => {
    const file = join(dir, "key");
    const base64 = await makeKey(file);
    expect(await readDeviceKey(file, PATH)).toMatchObject({ key: { type: "ssh-ed25519", base64 } });
    await chmod(file, 0o640);
    await expect(readDeviceKey(file, PATH)).rejects.toThrow(/Other users of this machine may use .*chmod go= /);
    const run = promisify(execFile);
    await run("ssh-keygen", ["-q", "-t", "rsa", "-N", "", "-f", join(dir, "rsa")]);
    await expect(readDeviceKey(join(dir, "rsa"), PATH)).rejects.toThrow(/is no ed25519 key/);
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "secret", "-f", join(dir, "locked")]);
    await expect(readDeviceKey(join(dir, "locked"), PATH)).rejects.toThrow(/without a passphrase/);
    await expect(readDeviceKey(join(dir, "none"), PATH)).rejects.toThrow(/cannot be read/);
  });
});

describe("ssh keys that change", () => {
  const DAY_MS = 86_400_000;
  async function watch() {
    const [sshKeyFile, directory] = [join(dir, "key"), join(dir, "sockets")];
    const log = { info: vi.fn(), warn: vi.fn() };
    await makeKey(sshKeyFile);
    // What a process leaves that was killed.
    await mkdir(join(directory, "ssh-abcdef"), { recursive: true });
    const files = { sshKeyFile, sshHostKeyFile: `${sshKeyFile}.pub` };
    const keys = await WatchedSshKeys.open(files, { directory, path: PATH, log });
    const copy = async () => await readFile(keys.keyFile!, "utf8");
    /** Puts another key in the place of the old one. */
    const change = async (name: string) => {
      await makeKey(join(dir, name));
      await rename(join(dir, name), sshKeyFile);
      return await readFile(sshKeyFile, "utf8");
    };
    return { keys, sshKeyFile, directory, log, copy, change };
  }

  it("are used when the cluster trusts them; until then ssh has the old private key", async () => {
    const { keys, sshKeyFile, directory, log, copy, change } = await watch();
    expect(await readdir(directory)).toEqual([basename(dirname(keys.keyFile!))]);
    expect((await stat(keys.keyFile!)).mode & 0o777).toBe(0o600);
    expect((await stat(dirname(keys.keyFile!))).mode & 0o777).toBe(0o700);
    const [old, before] = [await copy(), keys.ssh?.fingerprint];
    expect(old).toBe(await readFile(sshKeyFile, "utf8"));
    keys.mayTake = async () => "The cluster does not trust it.";
    const changed = vi.fn();
    keys.onChange(changed);
    const next = await change("next");
    await keys.look();
    expect([await copy(), keys.ssh?.fingerprint]).toEqual([old, before]);
    keys.mayTake = async () => undefined;
    await keys.look();
    expect(await copy()).toBe(next);
    expect(keys.ssh?.fingerprint).not.toBe(before);
    expect(changed).toHaveBeenCalledTimes(1);
    expect(log.info.mock.calls).toEqual([
      [{ keys: [keys.ssh, keys["ssh-host"]].map((key) => key?.fingerprint) }, "uses new ssh keys"],
    ]);
    await keys[Symbol.asyncDispose]();
    expect(await readdir(directory)).toEqual([]);
  });

  it.each<[string, RegExp, (file: string) => Promise<unknown>]>([
    ["that others may read", /Other users of this machine may use .*chmod go= /, (file) => chmod(file, 0o640)],
    ["that is half written", /is no private key that this user/, (file) => truncate(file, 100)],
    ["that is gone", /The file of --ssh-key cannot be read \(ENOENT/, (file) => rm(file)],
  ])("%s are refused with a sentence, and the old ones stay", async (_, why, spoil) => {
    const { keys, sshKeyFile, log, copy } = await watch();
    const [old, before] = [await copy(), keys.ssh?.fingerprint];
    await spoil(sshKeyFile);
    await keys.look();
    // The log waits for a moment: several files are rarely replaced in one step.
    vi.spyOn(performance, "now").mockReturnValue(performance.now() + DAY_MS);
    onTestFinished(() => void vi.restoreAllMocks());
    await keys.look();
    expect(keys.warnings).toEqual([expect.stringMatching(why)]);
    expect(log.warn).toHaveBeenCalledWith({ err: keys.warnings[0] }, "the new ssh keys are not used");
    expect(keys.warnings[0]).toMatch(/\. Until then the sidecar goes on with the old ssh keys\.$/);
    expect([await copy(), keys.ssh?.fingerprint]).toEqual([old, before]);
    await keys[Symbol.asyncDispose]();
  });
});

describe("the file of --ssh-host-key", () => {
  it("is the public part", async () => {
    const file = join(dir, "key");
    const base64 = await makeKey(file);
    expect(await readHostKey(`${file}.pub`)).toMatchObject({ base64 });
    await expect(readHostKey(file)).rejects.toThrow(/give the public part/);
    await expect(readHostKey(join(dir, "none"))).rejects.toThrow(/cannot be read/);
  });
});

const NAME = { role: "device" as const, name: "repo001" };
let count = 0;
const key = (kind: PublicKey["kind"]): PublicKey => ({
  kind,
  fingerprint: `${kind === "x509" ? "sha256:" : "SHA256:"}${(count++).toString().padStart(43, "A")}`,
  publicKey: `key ${count}`,
});
const bring = async (shown: PublicKey, root: string | null = null) =>
  (await enrollKey(db, { ...NAME, ...shown, by: "repo001", open: false, self: { root, tokenHash: null } })).outcome;
const trusted = async () =>
  (await readRegistry(db)).keys.filter(({ state }) => state === "trusted").map(({ fingerprint }) => fingerprint);

describe("the ssh keys of a device", () => {
  it("are trusted with its first ones, if its X.509 key is", async () => {
    const [own, ssh, host] = [key("x509"), key("ssh"), key("ssh-host")];
    expect(await bring(ssh)).toBe("waiting");
    expect(await bring(own)).toBe("trusted");
    expect(await bring(ssh)).toBe("trusted");
    expect(await bring(host)).toBe("trusted");
    expect((await trusted()).sort()).toEqual([own, ssh, host].map(({ fingerprint }) => fingerprint).sort());
  });

  it("wait with the device, and one yes trusts all of them", async () => {
    await trustKey(db, { role: "device", name: "repo002" }, { key: key("x509"), access: undefined, author: "olga" });
    const [own, ssh, host] = [key("x509"), key("ssh"), key("ssh-host")];
    for (const each of [own, ssh, host]) expect(await bring(each)).toBe("waiting");
    const { outcome, fingerprints } = await trustKey(db, NAME, { key: undefined, access: undefined, author: "olga" });
    expect(outcome).toBe("trusted");
    expect(fingerprints).toHaveLength(3);
  });

  it("change only with the root of the device, or by a yes", async () => {
    const root = randomUUID();
    const later = key("ssh");
    await bring(key("x509"));
    await bring(key("ssh"));
    expect(await bring(later, root)).toBe("waiting");
    await administer(database.url, (client) =>
      client.query("insert into lockstep.device (name, root_id) values ('repo001', $1)", [root]),
    );
    expect(await bring(later, root)).toBe("trusted");
    const other = key("ssh");
    expect(await bring(other)).toBe("waiting");
    await trustKey(db, NAME, { key: undefined, access: undefined, author: "olga" });
    expect(await trusted()).toHaveLength(3);
  });

  it("belong to one device each", async () => {
    const ssh = key("ssh");
    await bring(key("x509"));
    await bring(ssh);
    const two = { role: "device" as const, name: "repo002" };
    await trustKey(db, two, { key: key("x509"), access: undefined, author: "olga" });
    expect(await trustKey(db, two, { key: ssh, access: undefined, author: "olga" })).toMatchObject({
      outcome: "taken",
    });
  });

  it("are revoked with the device, and a yes trusts all that were revoked together", async () => {
    const all = [key("x509"), key("ssh"), key("ssh-host")];
    for (const each of all) await bring(each);
    const gone = await revokeKey(db, NAME, { fingerprint: undefined, author: "olga", reason: "test" });
    expect(gone).toMatchObject({ outcome: "revoked", trusted: 0 });
    expect(gone.fingerprints).toHaveLength(3);
    for (const each of all) expect(await bring(each)).toBe("revoked");
    await trustKey(db, NAME, { key: undefined, access: undefined, author: "olga" });
    expect(await trusted()).toHaveLength(3);
  });

  it("keep their kind when a yes names only the fingerprint", async () => {
    const host = key("ssh-host");
    await bring(key("x509"));
    await bring(host);
    await revokeKey(db, NAME, { fingerprint: host.fingerprint, author: "olga", reason: "test" });
    const named = { kind: "ssh" as const, fingerprint: host.fingerprint, publicKey: null };
    await trustKey(db, NAME, { key: named, access: undefined, author: "olga" });
    const { keys } = await readRegistry(db);
    expect(keys.find(({ fingerprint }) => fingerprint === host.fingerprint)).toMatchObject({
      ...{ kind: "ssh-host", state: "trusted", publicKey: host.publicKey },
    });
  });
});

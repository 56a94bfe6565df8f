import { randomBytes } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PackClient } from "../../src/git/peers/pack-stream.ts";
import { TlsLine } from "../../src/git/peers/peer-lines.ts";
import { catchUp } from "../../src/sync/catch-up/catch-up.ts";
import type { CatchUpProgress } from "../../src/sync/device/replica.ts";
import { advertise, authorityIn, contentsOf, credentialsOf, openGitPort, TRUST_DOMAIN } from "../support/git-port.ts";
import { type PlainGitServer, plainGitServer } from "../support/plain-git-server.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";

interface Fixture extends AsyncDisposable {
  readonly cluster: TestCluster;
  readonly a: TestDevice;
  /** Asks for packs over the network. */
  readonly b: TestDevice;
  /** In front of the replicas of `a`: git, and nothing of this project. */
  readonly plain: PlainGitServer;
}

async function fixture(options: { objectFormat?: "sha1" | "sha256" } = {}): Promise<Fixture> {
  const cluster = await TestCluster.make();
  const authority = await authorityIn(credentialsOf(cluster));
  const files = await authority.issue("device", "repo002");
  const a = await cluster.start("repo001");
  const b = await cluster.start("repo002", { gitCredentials: files });
  await cluster.create(APP, [a, b], options);
  const plain = await plainGitServer(a.context.root, await authority.issue("device", "repo001"));
  await advertise(cluster, "repo001", plain.address);
  const line = new TlsLine(await contentsOf(files), TRUST_DOMAIN);
  const client = new PackClient(line);
  b.openPack = ({ device, gitAddress }, ...request) => client.open(device, gitAddress, ...request);
  return {
    cluster,
    a,
    b,
    plain,
    async [Symbol.asyncDispose]() {
      line[Symbol.dispose]();
      await plain[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

describe("a peer without the pack stream", () => {
  it.each(["sha1", "sha256"] as const)(
    "is fetched from with stock git: a first copy, then what changed (%s)",
    async (objectFormat) => {
      await using f = await fixture({ objectFormat });
      const { a, b, plain } = f;
      const one = await a.commit(APP, "one", { content: randomBytes(200_000) });
      const tag = await a.git(APP, ["mktag"], `object ${one}\ntype commit\ntag v1\ntagger A <a@b> 0 +0000\n\nx\n`);
      await a.push(APP, [change("main", null, one), change("gone", null, one), change("refs/tags/v1", null, tag)]);
      expect(await b.read(APP)).toMatchObject({ version: 1n });
      expect(plain.requests[0]).toBe("POST /v1/pack");
      expect(plain.requests).toContain(`POST /${APP}.git/git-upload-pack`);
      await b.expectInLockstep(APP);

      const two = await a.commit(APP, "two", { parents: [one], content: "two\n" });
      await a.push(APP, [change("main", one, two), change("gone", one, null)]);
      expect(await b.read(APP)).toMatchObject({ version: 2n });
      await b.expectInLockstep(APP);
      const events = await f.cluster.sql<{ bytes: string; from_device: string }>(
        "select from_device, bytes from lockstep.sync_event where device = 'repo002' order by id desc limit 2",
      );
      expect(events.map(({ from_device }) => from_device)).toEqual(["repo001", "repo001"]);
      const [second, first] = events.map(({ bytes }) => Number(bytes)) as [number, number];
      expect(first).toBeGreaterThan(200_000);
      // The peer was told what is here.
      expect(second).toBeLessThan(10_000);
    },
  );

  it("is found out by its answer: once it has the pack stream, that is used", async () => {
    await using f = await fixture();
    const { a, b, plain } = f;
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    await b.read(APP);
    expect((await b.gitCommands()).join("\n")).toContain(" fetch ");
    const authority = await authorityIn(join(f.cluster.dir, "other"));
    const files = await authority.issue("device", "repo002");
    using line = new TlsLine(await contentsOf(files), TRUST_DOMAIN);
    const client = new PackClient(line);
    b.openPack = ({ device, gitAddress }, ...request) => client.open(device, gitAddress, ...request);
    await using _port = await openGitPort(a, await authority.issue("device", "repo001"));
    const before = plain.requests.length;
    await a.push(APP, [change("other", null, await a.commit(APP, "two"))]);
    await b.read(APP);
    expect((await b.gitCommands()).join("\n")).not.toContain(" fetch ");
    expect(plain.requests).toHaveLength(before);
    await b.expectInLockstep(APP);
  });

  it("tells how far it is, and writes nothing but objects into the replica", async () => {
    await using f = await fixture();
    const { a, b } = f;
    const one = await a.commit(APP, "one", { content: randomBytes(100_000) });
    await a.push(APP, [change("main", null, one)]);
    const before = await readdir(b.gitDir(APP));
    const seen: CatchUpProgress[] = [];
    const signal = AbortSignal.timeout(SOON.timeout);
    await catchUp(b.context, b.replica(APP), 1n, { signal, onProgress: (progress) => seen.push(progress) });
    expect(seen).toContainEqual(expect.objectContaining({ phase: "receiving objects", objects: 3, totalObjects: 3 }));
    expect((await readdir(b.gitDir(APP))).sort()).toEqual(before.sort());
    expect(await b.leftovers(APP)).toEqual([]);
    expect((await readdir(join(b.gitDir(APP), "objects", "pack"))).filter((name) => name.endsWith(".keep"))).toEqual(
      [],
    );
  });

  it("repairs what is missing below what is here", async () => {
    await using f = await fixture();
    const { a, b } = f;
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one)]);
    await b.read(APP);
    const packs = join(b.gitDir(APP), "objects", "pack");
    await b.git(APP, ["repack", "-adq"]);
    for (const name of await readdir(packs)) await rm(join(packs, name));
    const two = await a.commit(APP, "two", { parents: [one] });
    await a.push(APP, [change("main", one, two)]);
    expect(await b.read(APP)).toMatchObject({ version: 2n });
    await b.expectInLockstep(APP);
  });

  it("is busy when it says 503, and has failed when it says anything else", async () => {
    await using f = await fixture();
    const { a, b, plain } = f;
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    plain.status = 503;
    await expect(b.read(APP)).rejects.toMatchObject({ code: "QUEUE_FULL" });
    plain.status = 500;
    const insist = { signal: AbortSignal.timeout(SOON.timeout), insist: true };
    await expect(catchUp(b.context, b.replica(APP), 1n, insist)).rejects.toMatchObject({
      code: "NO_SOURCE",
      message: expect.stringContaining("500"),
    });
    expect(await b.leftovers(APP)).toEqual([]);
    plain.status = undefined;
    expect(await catchUp(b.context, b.replica(APP), 1n, insist)).toBe(1n);
  });

  it("must be the device that was asked for the pack stream", async () => {
    await using f = await fixture();
    const { a, b } = f;
    await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
    const honest = b.openPack;
    b.openPack = async (...request) =>
      await honest(...request).catch((error: { publicKey: string }) => {
        throw Object.assign(error, { publicKey: Buffer.alloc(32, 1).toString("base64") });
      });
    await expect(b.read(APP)).rejects.toMatchObject({
      code: "NO_SOURCE",
      message: expect.stringMatching(/public key/i),
    });
  });
});

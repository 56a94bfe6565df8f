// Two replicas whose directories are exchanged under a running sidecar: whatever touches either of them first finds it out.
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { markDisk } from "../../src/git/replica/disk-mark.ts";
import { holdObjects } from "../../src/sync/copies/hold-objects.ts";
import { beginSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
const OTHER = "team/other";

interface Site {
  readonly a: TestDevice;
  readonly devices: readonly TestDevice[];
  readonly app: string;
  readonly other: string;
}

async function site(cluster: TestCluster, names: readonly string[]): Promise<Site> {
  const devices: TestDevice[] = [];
  for (const name of names) devices.push(await cluster.start(name));
  const [a] = devices as [TestDevice];
  await cluster.create(APP, devices);
  await cluster.create(OTHER, devices);
  const app = await a.commit(APP, "app");
  const other = await a.commit(OTHER, "other");
  await a.push(APP, [change("main", null, app)]);
  await a.push(OTHER, [change("main", null, other)]);
  return { a, devices, app, other };
}

async function exchange(cluster: TestCluster, a: TestDevice): Promise<void> {
  const aside = join(cluster.dir, "aside");
  await rename(a.gitDir(APP), aside);
  await rename(a.gitDir(OTHER), a.gitDir(APP));
  await rename(aside, a.gitDir(OTHER));
}

async function expectOwnRefs({ a, app, other }: Site): Promise<void> {
  expect(await a.refs(APP)).toMatchObject({ "refs/heads/main": app });
  expect(await a.refs(OTHER)).toMatchObject({ "refs/heads/main": other });
}

describe("directories that are exchanged under a running sidecar", () => {
  it.each<[string, (at: Site) => Promise<unknown>]>([
    ["a read", async ({ a }) => expect(await a.read(APP)).toMatchObject({ version: 1n })],
    ["a read of the other", async ({ a }) => expect(await a.read(OTHER)).toMatchObject({ version: 1n })],
    ["a push", async ({ a, app }) => await a.push(APP, [change("next", null, app)])],
    ["a session", async ({ a }) => await beginSession(a, APP, {})],
  ])("are found by %s, though nobody else has the objects", async (_, touch) => {
    await using cluster = await TestCluster.make();
    const at = await site(cluster, ["repo001"]);
    await exchange(cluster, at.a);
    await touch(at);
    for (const name of [APP, OTHER]) await at.a.read(name);
    await expectOwnRefs(at);
  });

  it("are found by a device that fetches from there", async () => {
    await using cluster = await TestCluster.make();
    const at = await site(cluster, ["repo001", "repo002"]);
    await exchange(cluster, at.a);
    const { id } = at.a.replica(APP);
    const body = { repositoryId: id, version: "1", wants: [at.app], haves: [], visit: "last" };
    await expect(at.a.packs.open("repo002", body, at.a.context.signal)).rejects.toMatchObject({
      code: "SOURCE_FAILED",
    });
    await vi.waitFor(async () => expect(await at.a.refs(APP)).toMatchObject({ "refs/heads/main": at.app }), SOON);
    await at.devices[1]?.read(APP);
    await at.devices[1]?.expectInLockstep(APP);
  });

  it("are found before a copy for another device is kept in the wrong one", async () => {
    await using cluster = await TestCluster.make();
    const at = await site(cluster, ["repo001", "repo002"]);
    const b = at.devices[1] as TestDevice;
    await b.read(APP);
    const later = await b.commit(APP, "later", { parents: [at.app] });
    await exchange(cluster, at.a);
    const { id } = at.a.replica(APP);
    using _ = b.context.fetchable.offer(id, "repo001", [later]);
    await holdObjects(at.a.context, "repo002", { repositoryId: id, wants: [later], haves: [at.app], refs: [] });
    for (const name of [APP, OTHER]) await at.a.read(name);
    await expectOwnRefs(at);
    // Not before the reads: until then it could as well be in the other one, which lay at this place.
    expect(await at.a.git(APP, ["for-each-ref", "refs/lockstep/staged"])).toContain(later);
  });

  it("are found where that happens while somebody holds the mutex", async () => {
    await using cluster = await TestCluster.make();
    const at = await site(cluster, ["repo001"]);
    await at.a.replica(APP).mutex.runExclusive(() => exchange(cluster, at.a));
    for (const name of [APP, OTHER]) await at.a.read(name);
    await expectOwnRefs(at);
  });
});

it("a look costs no more calls of stat than there are files and directories to watch", async () => {
  await using cluster = await TestCluster.make();
  const { a } = await site(cluster, ["repo001"]);
  const first = markDisk(a.gitDir(APP));
  expect(first.there).not.toContain("reftable");
  const again = markDisk(a.gitDir(APP), first);
  expect(again).toEqual(first);
  await a.git(APP, ["pack-refs", "--all"]);
  // Where it was not before, the directory that it is in has changed.
  expect(
    markDisk(a.gitDir(APP), { ...first, there: first.there.filter((each) => each !== "packed-refs") }),
  ).not.toEqual(first);
  expect(markDisk(a.gitDir(APP)).there).toContain("packed-refs");
});

import { rm } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { verify } from "../../src/sync/operator/verify-replica.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
const CAFE = "refs/heads/caf\xe9";

async function filled(cluster: TestCluster): Promise<{ a: TestDevice; b: TestDevice; one: string; two: string }> {
  const [a, b] = await cluster.pair(APP);
  const one = await a.commit(APP, "one");
  const two = await a.commit(APP, "two", { parents: [one] });
  await a.push(APP, [change("main", null, one), change("topic", null, one), change(CAFE, null, one)]);
  return { a, b, one, two };
}

const check = (device: TestDevice, full = false) =>
  verify(device.context, APP, { full, signal: AbortSignal.timeout(SOON.timeout) });
const SOUND = { differences: [], damage: [], failure: null };

describe("a replica that is verified", () => {
  it("is found to be as the log says, after catching up first", async () => {
    await using cluster = await TestCluster.make();
    const { a, b } = await filled(cluster);
    expect(await check(a)).toEqual({ version: 1n, refs: 4, ...SOUND });
    expect(await check(b)).toEqual({ version: 1n, refs: 4, ...SOUND });
    expect(await check(b, true)).toEqual({ version: 1n, refs: 4, ...SOUND });
    expect(b.packRequests).toHaveLength(1);
  });

  it("has every ref named that was changed, deleted or made by hand, and HEAD, and gets them back", async () => {
    await using cluster = await TestCluster.make();
    const { a, one, two } = await filled(cluster);
    await a.git(APP, ["update-ref", "refs/heads/main", two]);
    await a.git(APP, ["update-ref", "-d", "refs/heads/topic"]);
    await a.git(APP, ["update-ref", "refs/tags/stray", one]);
    await a.git(APP, ["symbolic-ref", "HEAD", "refs/heads/stray"]);
    await a.git(APP, ["update-ref", "--stdin"], Buffer.from(`update ${CAFE} ${two}\n`, "latin1"));
    const differences = [
      { name: "HEAD", onDisk: "ref: refs/heads/stray", inLog: "ref: refs/heads/main" },
      { name: CAFE, onDisk: two, inLog: one },
      { name: "refs/heads/main", onDisk: two, inLog: one },
      { name: "refs/heads/topic", onDisk: null, inLog: one },
      { name: "refs/tags/stray", onDisk: one, inLog: null },
    ];
    expect(await check(a)).toEqual({ version: 1n, refs: 4, ...SOUND, differences });
    expect(await check(a)).toEqual({ version: 1n, refs: 4, ...SOUND });
    await a.expectInLockstep(APP);
    // What no ref of the log holds is kept.
    const kept = await a.git(APP, ["for-each-ref", "--format=%(refname) %(objectname)", "refs/lockstep/"]);
    expect(kept.split("\n")).toEqual([
      `refs/lockstep/lost/1/heads/caf\xe9 ${two}`,
      `refs/lockstep/lost/1/heads/main ${two}`,
    ]);
  });

  it("may have refs below refs/lockstep/", async () => {
    await using cluster = await TestCluster.make();
    const { a, one } = await filled(cluster);
    await a.git(APP, ["update-ref", "refs/lockstep/lost/main", one]);
    expect(await check(a)).toMatchObject({ differences: [] });
  });

  it("is compared while nothing moves: pushes at the same time show no difference", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, one } = await filled(cluster);
    const pushes = Array.from({ length: 6 }, (_, index) =>
      (index % 2 ? a : b).push(APP, [change(`n${index}`, null, one)]),
    );
    const found = await Promise.all([check(a), check(b), check(a), check(b)]);
    await Promise.all(pushes);
    expect(found.flatMap(({ differences }) => differences)).toEqual([]);
    expect(await check(b)).toMatchObject({ version: 7n, differences: [] });
  });

  it("is copied anew from other devices if it is gone, or the report says why not", async () => {
    await using cluster = await TestCluster.make();
    const { a, b } = await filled(cluster);
    await b.read(APP);
    await rm(a.gitDir(APP), { recursive: true });
    const found = await check(a);
    expect(found).toMatchObject({ version: 1n, refs: 4, failure: null });
    expect(found.differences.map(({ onDisk }) => onDisk)).toEqual([null, null, null, null]);
    await a.expectInLockstep(APP);
    await b.stop();
    await rm(a.gitDir(APP), { recursive: true });
    expect(await check(a)).toMatchObject({ failure: expect.stringContaining("repo002 (away since") });
  });

  it("cannot be judged by stored refs that do not have their digest", async () => {
    await using cluster = await TestCluster.make();
    const { a } = await filled(cluster);
    await cluster.sql("delete from lockstep.repository_ref where name = 'refs/heads/topic'");
    await expect(check(a)).rejects.toMatchObject({ code: "INTERNAL", message: expect.stringContaining("digest") });
  });
});

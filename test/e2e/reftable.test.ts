// A cluster whose devices store refs as reftable, with stock git before it.
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { killAt, type Point } from "../support/held-push.ts";
import { gitIsOlderThan } from "../support/programs.ts";
import { PushHistory } from "../support/push-history.ts";
import { type Pusher, pusher } from "../support/pusher.ts";

const tooOld = gitIsOlderThan(2, 46);
if (tooOld) console.warn(`The tests with reftable are skipped: ${tooOld}.`);

describe.skipIf(tooOld)("a cluster that stores refs as reftable", () => {
  let cluster: Cluster;
  let one: Device;
  let three: Device;
  let ada: Pusher;
  beforeAll(async () => {
    cluster = await startCluster({ refFormat: "reftable" });
    [one, , three] = cluster.devices as [Device, Device, Device];
    ada = await pusher(cluster.git, "ada");
  });
  afterAll(async () => await cluster?.[Symbol.asyncDispose]());

  it("takes pushes on any device, and every other one serves them", async () => {
    const repository = await cluster.createRepository();
    const format = ["-c", "safe.directory=*", "rev-parse", "--show-ref-format"];
    for (const device of cluster.devices)
      expect(await cluster.git.git(format, { cwd: device.gitDir(repository) })).toBe("reftable");
    const first = await ada.commit();
    await ada.land(one.url(repository), `${first}:refs/heads/main`, `${first}:refs/heads/x`);
    const clone = join(cluster.git.dir, "clone");
    await cluster.git.git(["clone", "--quiet", three.url(repository), clone]);
    expect(await cluster.git.git(["rev-parse", "HEAD"], { cwd: clone })).toBe(first);
    const second = await ada.commit(first);
    await ada.land(three.url(repository), `${second}:refs/heads/main`, ":refs/heads/x");
    await ada.land(three.url(repository), `${second}:refs/heads/x/y`);
    const listed = await cluster.git.git(["ls-remote", one.url(repository), "refs/heads/*"]);
    expect(listed).toBe(`${second}\trefs/heads/main\n${second}\trefs/heads/x/y`);
    const { differences } = await one.call("VerifyReplica", { repository }, PATIENCE);
    expect(differences).toEqual([]);
  });

  it.each<[Point, number]>([
    ["prepared", 1],
    ["committed", 2],
  ])("recovers from kill -9 of a sidecar while refs are %s", async (point, version) => {
    const history = await PushHistory.begin(cluster, ada);
    expect(await killAt(history, one, point)).toBe(version);
  });
});

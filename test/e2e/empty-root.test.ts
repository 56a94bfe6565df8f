// A sidecar that starts where its disk is not: it takes no replica for lost, and fills nothing.
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { expectVerified } from "../support/at-rest.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { type Device, ended, PATIENCE } from "../support/cluster-device.ts";
import { EXIT, expectSentence } from "../support/command-line.ts";
import { pusher } from "../support/pusher.ts";
import { soon } from "../support/soon.ts";

const SOON = soon(100);

let cluster: Cluster;
let one: Device;
let two: Device;
let repository: string;
beforeAll(async () => {
  cluster = await startCluster();
  [one, two] = cluster.devices as [Device, Device];
  const ada = await pusher(cluster.git, "ada");
  repository = await cluster.createRepository();
  await ada.land(one.url(repository), `${await ada.commit()}:refs/heads/main`);
  await vi.waitFor(() => two.sync(repository), SOON);
});
afterAll(async () => await cluster?.[Symbol.asyncDispose]());

const versionOn = async (device: string) => {
  const { replicas } = await one.call("GetRepository", { repository }, PATIENCE);
  return replicas.find((each) => each.device === device)?.version;
};

it("refuses to start on an empty directory at the place of its root, until the disk is back or is called a new one", async () => {
  const { root, env } = two.demo;
  await two.kill();
  await rename(root, `${root}.away`);
  await mkdir(root);
  const refused = await ended(two.command(["serve"], env));
  expect(refused.code).toBe(EXIT.NOT_NOW);
  expectSentence(refused, root, "is empty", "mount its disk", `mkdir -p ${join(root, ".lockstep")}`);
  const doctor = await ended(two.command(["doctor"], env));
  expect(doctor.stdout).toContain("mount its disk");
  expect(await readdir(root)).toEqual([]);
  expect(await versionOn(two.demo.name)).toBe("1");
  await rm(root, { recursive: true });
  await rename(`${root}.away`, root);
  await two.start();
  await expectVerified(two, repository);

  await two.kill();
  await rename(root, `${root}.away`);
  await mkdir(join(root, ".lockstep"), { recursive: true });
  await two.start();
  await vi.waitFor(() => two.sync(repository), SOON);
  await expectVerified(two, repository, true);
});

it("starts where the files of its root were removed, and copies them anew", async () => {
  const { root } = two.demo;
  await two.kill();
  for (const name of await readdir(root)) await rm(join(root, name), { recursive: true });
  await two.start();
  await vi.waitFor(() => two.sync(repository), SOON);
  await expectVerified(two, repository);
});

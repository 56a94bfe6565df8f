// A front end on a machine of its own: all it has is a certificate of its role and the address of a device.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Client } from "../../src/client/client.ts";
import type { Cluster } from "../support/cluster.ts";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { type LaggingCluster, startLaggingCluster } from "../support/lag.ts";
import type { Pusher } from "../support/pusher.ts";

let lagging: LaggingCluster;
let cluster: Cluster;
let one: Device;
let three: Device;
let ada: Pusher;
let frontEnd: Client;
let repositories: readonly string[];
beforeAll(async () => {
  lagging = await startLaggingCluster(4);
  ({ cluster, one, three, ada, repositories } = lagging);
  const { ca, frontend, trust_domain: trustDomain } = cluster.demo.line;
  const [authority, cert, key] = (await Promise.all(
    [ca, frontend.cert, frontend.key].map((file) => readFile(file, "utf8")),
  )) as [string, string, string];
  frontEnd = new Client({ address: three.demo.grpc, ca: authority, cert, key, trustDomain, device: three.name });
});
afterAll(async () => {
  frontEnd?.[Symbol.dispose]();
  await lagging?.[Symbol.asyncDispose]();
});

/** What stock git reads from the third device's disk, past every gate. */
const onDisk = (repository: string) => cluster.git.run(["ls-remote", three.gitDir(repository), "refs/heads/main"]);

describe("a front end on another machine", () => {
  it("makes a lagging replica pull before it serves: git then reads the newest commit there", async () => {
    const repository = repositories[0]!;
    let pulls = 0;
    for (let round = 0; round < 3; round += 1) {
      const tip = await lagging.pushUnnoticed(repository);
      const before = await onDisk(repository);
      const { version, fetched, stale } = await frontEnd.call("BeforeRead", { repository }, PATIENCE);
      expect(stale).toBe(false);
      // A poll may have come in between, and then there was nothing to see, or to fetch.
      if (fetched && !before.stdout.includes(tip)) pulls += 1;
      expect(await onDisk(repository)).toMatchObject({ code: 0, stdout: expect.stringContaining(tip) });
      const clone = join(cluster.git.dir, `clone-${round}`);
      await cluster.git.git(["clone", "--quiet", three.gitDir(repository), clone]);
      expect(await cluster.git.git(["rev-parse", "HEAD"], { cwd: clone })).toBe(tip);
      const state = await frontEnd.call("GetVersion", { repository }, PATIENCE);
      expect(state).toMatchObject({ device: "repo003", version, headVersion: version });
    }
    expect(pulls).toBeGreaterThan(0);
  });

  it("waits for a commit that it was told of", async () => {
    const repository = repositories[1]!;
    const commit = await ada.commit();
    const waiting = frontEnd.call("BeforeRead", { repository, commit }, PATIENCE);
    await ada.land(one.url(repository), `${commit}:refs/heads/main`);
    await expect(waiting).resolves.toMatchObject({ version: "1" });
    expect(await onDisk(repository)).toMatchObject({ stdout: expect.stringContaining(commit) });
  });

  it("gets a labelled stale answer when it says how old one may be, and the newest when it does not", async () => {
    const repository = repositories[2]!;
    await frontEnd.call("BeforeRead", { repository }, PATIENCE);
    await lagging.pushUnnoticed(repository);
    const maxStaleness = { seconds: "3600", nanos: 0 };
    const old = await frontEnd.call("BeforeRead", { repository, maxStaleness }, PATIENCE);
    expect(old.stale).toBe(true);
    const current = await frontEnd.call("BeforeRead", { repository }, PATIENCE);
    expect(current.stale).toBe(false);
    const { headVersion } = await frontEnd.call("GetVersion", { repository }, PATIENCE);
    expect(current.version).toBe(headVersion);
  });

  it("may call GetStatus, GetRepository, ListLog and GetVersion", async () => {
    const repository = repositories[3]!;
    await expect(frontEnd.call("GetStatus", {}, PATIENCE)).resolves.toMatchObject({ devices: { length: 3 } });
    for (const method of ["GetRepository", "ListLog", "GetVersion"] as const)
      await expect(frontEnd.call(method, { repository }, PATIENCE)).resolves.toBeDefined();
  });

  it.each(["CreateRepository", "VerifyReplica"] as const)(
    "may not call %s, and is told which role may",
    async (method) => {
      const repository = `by/front-end-${method.toLowerCase()}`;
      await expect(frontEnd.call(method, { repository }, PATIENCE)).rejects.toMatchObject({
        code: "PERMISSION_DENIED",
        message: expect.stringMatching(/role frontend may not call \w+; use one of the role operator/),
      });
      await expect(frontEnd.call("GetRepository", { repository }, PATIENCE)).rejects.toMatchObject({
        code: "REPOSITORY_NOT_FOUND",
      });
    },
  );
});

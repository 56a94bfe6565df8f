// A device that lags. It gets no notification of a push. It learns of the push when a read asks it, or at its next poll
// (about every 5 s).
import { join } from "node:path";
import { expect, inject } from "vitest";
import { type Cluster, startCluster } from "./cluster.ts";
import { type Device, PATIENCE } from "./cluster-device.ts";
import { type Pusher, pusher } from "./pusher.ts";

/** A cluster with empty repositories, whose third device lags. */
export interface LaggingCluster extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly one: Device;
  readonly three: Device;
  readonly ada: Pusher;
  readonly repositories: readonly string[];
  /** Pushes a tip to the first device, without the third device noticing, and returns the tip. */
  pushUnnoticed(repository: string): Promise<string>;
  /** Expects each `clone` to bring the newest commit, although the disk of the third device lacked it. */
  expectNewest(repository: string, clone: (into: string) => Promise<unknown>): Promise<void>;
}

export async function startLaggingCluster(repositoryCount: number): Promise<LaggingCluster> {
  const cluster = await startCluster();
  const [one, , three] = cluster.devices as [Device, Device, Device];
  const ada = await pusher(cluster.git, "ada");
  const repositories: string[] = [];
  for (let i = 0; i < repositoryCount; i += 1) repositories.push(await cluster.createRepository());
  await deafen(three);
  const pushUnnoticed = (repository: string) =>
    untilBehind(three, repository, async () => {
      const tip = await ada.commit();
      await ada.land(one.url(repository), `+${tip}:refs/heads/main`);
      return tip;
    });
  return {
    cluster,
    one,
    three,
    ada,
    repositories,
    pushUnnoticed,
    async expectNewest(repository, clone) {
      let pulls = 0;
      for (let round = 0; round < 3; round += 1) {
        const tip = await pushUnnoticed(repository);
        const before = await cluster.git.run(["ls-remote", three.gitDir(repository), "refs/heads/main"]);
        if (!before.stdout.includes(tip)) pulls += 1;
        const into = join(cluster.git.dir, `clone-${round}`);
        await clone(into);
        expect(await cluster.git.git(["rev-parse", "HEAD"], { cwd: into })).toBe(tip);
      }
      // Without a pull the replica did not lag, and the test proved nothing.
      expect(pulls).toBeGreaterThan(0);
    },
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}

/** Restarts the sidecar so that it listens for notifications on a database that sends none. */
async function deafen(device: Device): Promise<void> {
  await device.kill();
  await device.start({ LOCKSTEP_NOTIFY_DATABASE_URL: inject("postgresUrl") });
}

/** Runs `push` until `device` has not noticed the pushed tip, and returns that tip. A poll may come in between. */
async function untilBehind(device: Device, repository: string, push: () => Promise<string>): Promise<string> {
  for (;;) {
    const tip = await push();
    const { version, headVersion } = await device.call("GetVersion", { repository }, PATIENCE);
    if (version !== headVersion) return tip;
  }
}

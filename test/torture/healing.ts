// Heals the cluster after the faults: all processes run and reach each other again. Then tests that pushes and reads
// work.
import { setTimeout as delay } from "node:timers/promises";
import type { TortureCluster } from "./cluster.ts";
import type { Commits } from "./commits.ts";
import type { FaultContext } from "./fault-context.ts";
import type { Recorder } from "./recorder.ts";
import type { Session } from "./session.ts";
import type { Asked } from "./told.ts";

const READY_MS = 180_000;
/** Within this time a push through every device must succeed. */
const BOUND_MS = 120_000;
const RETRY_MS = 250;

export interface Healing {
  readonly cluster: TortureCluster;
  readonly commits: Commits;
  readonly recorder: Recorder;
  readonly repositories: readonly string[];
  readonly sessions: readonly Session[];
  readonly locks: FaultContext["locks"];
}

/** Takes back leftover faults. Then pushes and reads through every device until both succeed or the time is up. */
export async function heal(healing: Healing): Promise<void> {
  const { cluster, recorder, repositories, sessions, locks } = healing;
  for (const { host, database } of cluster.members) {
    database.mend();
    host.start();
  }
  await cluster.untilReady(READY_MS);
  const at = recorder.now();
  recorder.records.push({ record: "healed", at, devices: cluster.names, bound: BOUND_MS });
  const deadline = at + BOUND_MS;
  for (const device of cluster.names) {
    for (const repository of repositories) {
      // A lock that a fault put down must not block a push. A deletion needs the lock of packed-refs too.
      const locked = locks.filter((each) => each.device === device && each.repository === repository);
      const refs = [
        `refs/heads/end/${device}`,
        ...locked.map(({ ref }) => ref).filter((ref) => ref.startsWith("refs/")),
      ];
      for (const ref of new Set(refs)) await push(healing, device, repository, ref, true, deadline);
      await push(healing, device, repository, `refs/heads/end/${device}`, false, deadline);
    }
  }
  for (const session of sessions) {
    for (const device of cluster.names) {
      for (const repository of repositories) await session.read("ls-remote", device, repository, "refs/heads/");
    }
  }
}

/** Makes or removes a ref, and tries until that succeeds. */
async function push(
  { sessions, commits, recorder }: Healing,
  device: string,
  repository: string,
  ref: string,
  exists: boolean,
  deadline: number,
): Promise<void> {
  const session = sessions[0]!;
  for (;;) {
    const value = exists ? await commits.make(null, "end") : null;
    const asked: Asked[] = [{ ref, believed: null, demanded: false, new: value }];
    const operation = exists ? "force" : "delete";
    if ((await session.push({ operation, device, repository, asked, forced: true })) === "ok") return;
    if (recorder.now() > deadline) return;
    await delay(RETRY_MS);
  }
}

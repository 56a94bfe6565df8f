// Holds a push on a device at a known point, so that a test can make a failure happen there. git waits in one of its
// hooks.
import { existsSync } from "node:fs";
import { chmod, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, vi } from "vitest";
import type { Device } from "./cluster-device.ts";
import type { PushHistory } from "./push-history.ts";
import { soon } from "./soon.ts";

/**
 * At `received`, the sidecar has not been asked yet. At `prepared`, the refs are locked and nothing is decided. At
 * `committed`, the write is decided and the refs are on disk.
 */
export type Point = "received" | "prepared" | "committed";

export interface HeldPush extends AsyncDisposable {
  /** Resolves when a push has reached the point. */
  reached(): Promise<void>;
  /** Lets the push continue. */
  release(): Promise<void>;
}

/** Holds pushes to refs below refs/heads/held/ on the device at the point. */
export async function holdPush(device: Device, repository: string, point: Point): Promise<HeldPush> {
  const name = point === "received" ? "pre-receive" : "reference-transaction";
  const hook = join(device.gitDir(repository), "hooks", name);
  const [hold, reached] = [`${hook}.hold`, `${hook}.reached`];
  await writeFile(hold, "");
  await rm(reached, { force: true });
  const script = `#!/bin/sh
grep -q ' refs/heads/held/' && test "\${1:-received}" = ${point} || exit 0
: >'${reached}'
while test -e '${hold}'; do sleep 0.02; done
`;
  await writeFile(hook, script);
  await chmod(hook, 0o755);
  const release = () => rm(hold, { force: true });
  return {
    reached: () => vi.waitUntil(() => existsSync(reached), soon(5)).then(() => {}),
    release,
    async [Symbol.asyncDispose]() {
      await release();
      await rm(hook);
    },
  };
}

/**
 * Kills a sidecar while a push is held at the point, and starts it again. Expects it to recover and to take the next
 * push. Returns the version after the recovery.
 */
export async function killAt(history: PushHistory, device: Device, point: Point): Promise<number> {
  await history.untilAcknowledged(device, "held");
  await using held = await holdPush(device, history.repository, point);
  const push = history.push(device, "held");
  await held.reached();
  await device.kill();
  expect(await push).toMatchObject({ verdict: "neither" });
  // The hook, and the git that waits for it, are still there and must not be in the way.
  await device.start();
  await held.release();
  const { version } = await history.expectTrueAndAtRest();
  expect((await history.push(device, "held")).verdict).toBe("acknowledged");
  await history.expectTrueAndAtRest();
  return version;
}

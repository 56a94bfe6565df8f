// Measures the start of a sidecar that was killed while ten repositories were being written. The device has 10,000
// repositories; in the baseline it has only those ten.
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "../dist/client/client.js";
import { compare, inFolder, serveAgain, sql, withCluster } from "./harness.mjs";
import { Branch } from "./http-push.mjs";
import { fill } from "./many-repositories.mjs";

const MANY = Number(process.env.BENCH_REPOSITORIES ?? 10_000);
const WRITTEN = Array.from({ length: 10 }, (_, index) => `r/${index}`);
const CALL = { timeoutMs: 60_000 };

export const benchmarks = {
  "recovery at start": () =>
    inFolder((dir) =>
      withCluster(
        join(dir, "few"),
        (few) =>
          withCluster(
            join(dir, "many"),
            async (many) => {
              await fill(few, WRITTEN.length);
              await fill(many, MANY);
              const [baseline, ours] = [new Victim(few), new Victim(many)];
              try {
                await compare({
                  name: "recovery at start",
                  aim: "≤ 1.2",
                  baseline: () => baseline.recover(),
                  ours: () => ours.recover(),
                  note: `${MANY} repositories, ${WRITTEN.length} of them being written when the sidecar was killed, against these ${WRITTEN.length} only`,
                });
              } finally {
                await Promise.all([baseline.stop(), ours.stop()]);
              }
            },
            1,
          ),
        1,
      ),
    ),
};

/** A device whose sidecar is killed in the middle of ten pushes, in each round. */
class Victim {
  #cluster;
  #device;
  #sidecar;
  #rounds = 0;

  constructor(cluster) {
    this.#cluster = cluster;
    this.#device = cluster.devices[0];
    this.#sidecar = { stop: async (signal) => process.kill(this.#device.pid, signal) };
  }

  /** Kills and restarts the sidecar. Returns the milliseconds from its start until all ten repositories may be read. */
  async recover() {
    this.#rounds += 1;
    const paths = WRITTEN.map((name) => join(this.#device.root, `${name}.git`));
    for (const path of paths) holdPushes(path);
    const pushes = WRITTEN.map((name) =>
      new Branch(`${this.#device.gate.url}/${name}.git`, `held/${this.#rounds}`).push(),
    );
    const ended = Promise.allSettled(pushes);
    for (const path of paths) while (!existsSync(join(path, "reached"))) await sleep(5);
    await this.#sidecar.stop("SIGKILL");
    await ended;
    const startedAt = performance.now();
    this.#sidecar = await serveAgain(this.#device);
    const client = new Client({ socket: this.#device.socket });
    await Promise.all(WRITTEN.map((repository) => client.call("BeforeRead", { repository }, CALL)));
    const settledMs = performance.now() - startedAt;
    client[Symbol.dispose]();
    const [{ staged }] = await sql(
      this.#cluster,
      "select count(*) as staged from lockstep.write where status = 'staged'",
    );
    const locks = paths
      .flatMap((path) => readdirSync(join(path, "refs"), { recursive: true }))
      .filter((name) => name.endsWith(".lock"));
    if (staged !== "0" || locks.length > 0) throw new Error(`not settled: ${staged} writes, ${locks}`);
    return settledMs;
  }

  stop() {
    return this.#sidecar.stop("SIGTERM");
  }
}

/** Holds every push to held/ for ever, with its refs locked and nothing decided. Such a push makes a file "reached". */
function holdPushes(path) {
  rmSync(join(path, "reached"), { force: true });
  const script = `#!/bin/sh
grep -q ' refs/heads/held/' && test "$1" = prepared || exit 0
: >'${path}/reached'
exec sleep 600
`;
  writeFileSync(join(path, "hooks", "reference-transaction"), script, { mode: 0o755 });
}

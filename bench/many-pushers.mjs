// Measures how many pushes a second land in one repository whose pushers push to branches of their own, each as soon as
// its last push has landed. First against the same gate on a bare repository without Lockstep. Then six pushers spread
// over three devices, against the same six at one device of the same cluster.
import { join } from "node:path";
import { compare, counter, cpuSeconds, git, inFolder, median, start, withCluster } from "./harness.mjs";
import { Branch, pushesPerSecond, WINDOW_MS } from "./http-push.mjs";

/**
 * Both gates are pushed to for so long before. Node compiles the code of a sidecar that has just started while it runs:
 * a third of its processor time then.
 */
const WARM_UP_MS = 12_000;
const RACES = "lockstep_push_races_total";

const against = (pushers, devices) => () =>
  inFolder(async (dir) => {
    const root = join(dir, "plain");
    const demo = join(root, "demo.git");
    await git(dir, "init", "-q", "--bare", demo);
    // As durable as Lockstep.
    await git(demo, "config", "core.fsync", "all");
    await git(demo, "config", "receive.unpackLimit", "1");
    const plain = await start("bench/plain-gate.mjs", [root]);
    try {
      await withCluster(
        dir,
        async (cluster) => {
          const [device] = cluster.devices;
          const [baseline, ours] = [plain.url, device.gate.url].map((url) => branchesAt([url], pushers));
          await pushesPerSecond([...baseline, ...ours], WARM_UP_MS);
          const sidecarMs = [];
          await compare({
            name: nameOf(pushers, devices),
            unit: "pushes/s",
            aim: devices > 1 ? "≥ 0.5" : "≥ 0.85",
            baseline: () => pushesPerSecond(baseline),
            ours: async () => {
              const before = await cpuSeconds([device.pid], { alone: true });
              const rate = await pushesPerSecond(ours);
              const spent = (await cpuSeconds([device.pid], { alone: true })) - before;
              sidecarMs.push((spent * 1_000) / ((rate * WINDOW_MS) / 1_000));
              return rate;
            },
            detail: () => {
              const note = `${median(sidecarMs).toPrecision(2)} ms of the sidecar's processor time a push (aim ≤ 4 at 8 pushers)`;
              return { sidecarMs, note };
            },
          });
        },
        devices,
      );
    } finally {
      await plain.stop();
    }
  });

export const benchmarks = {
  ...Object.fromEntries(
    [1, 4, 8, 16].flatMap((pushers) => [1, 3].map((devices) => [nameOf(pushers, devices), against(pushers, devices)])),
  ),
  "six pushers spread over three devices": () =>
    inFolder((dir) =>
      withCluster(dir, async ({ devices }) => {
        const gates = devices.map(({ gate }) => gate.url);
        const [together, spread] = [branchesAt(gates.slice(0, 1), 6, "t"), branchesAt(gates, 6, "s")];
        const races = async () => (await Promise.all(devices.map((device) => counter(device, RACES)))).reduce(sum);
        const lost = [];
        let pushes = 0;
        await compare({
          name: "six pushers spread over three devices",
          unit: "pushes/s",
          aim: "≥ 1, no race lost",
          baseline: () => pushesPerSecond(together),
          ours: async () => {
            const before = await races();
            const rate = await pushesPerSecond(spread);
            lost.push((await races()) - before);
            pushes += Math.round((rate * WINDOW_MS) / 1000);
            return rate;
          },
          detail: () => ({ racesLost: lost, note: `${lost.reduce(sum)} races lost in ${pushes} pushes` }),
        });
      }),
    ),
};

function nameOf(pushers, devices) {
  return `pushes to one repository by ${pushers}${devices > 1 ? `, ${devices} devices` : ""}`;
}

const sum = (one, other) => one + other;

/** Returns a branch for each pusher, at the gates in turn. */
function branchesAt(gates, pushers, prefix = "b") {
  return Array.from({ length: pushers }, (_, n) => new Branch(`${gates[n % gates.length]}/demo.git`, `${prefix}${n}`));
}

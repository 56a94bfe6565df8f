// Eight pushers push to one repository, each to a branch of its own. A pusher pushes again as soon as its last push has
// landed. Half of them upload slowly. The baseline holds a write lock during the upload.
//
// The report compares pushes a second, because people feel how long a push waits behind other uploads. The time until
// each of the eight has landed once would mostly measure the slow uploads.
import { join } from "node:path";
import { compare, git, inFolder, median, start, withCluster } from "./harness.mjs";
import { Branch } from "./http-push.mjs";

const UPLOADS_MS = [0, 0, 0, 0, 500, 500, 500, 500];
const WINDOW_MS = 2_500;

export const benchmarks = {
  "eight pushers": () =>
    inFolder(async (dir) => {
      const root = join(dir, "plain");
      await git(dir, "init", "-q", "--bare", join(root, "demo.git"));
      const locked = await start("bench/locked-gate.mjs", [root]);
      try {
        await withCluster(
          dir,
          async ({ devices: [device] }) => {
            const quick = { baseline: [], ours: [] };
            const pushersOf = (gate) =>
              UPLOADS_MS.map((uploadMs, n) => [new Branch(`${gate}/demo.git`, `b${n}`), uploadMs]);
            const [baseline, ours] = [pushersOf(locked.url), pushersOf(device.gate.url)];
            await compare({
              name: "eight pushers",
              unit: "pushes/s",
              aim: "≥ 5",
              baseline: () => pushesPerSecond(baseline, quick.baseline),
              ours: () => pushesPerSecond(ours, quick.ours),
              detail: () => {
                const [before, now] = [median(quick.baseline), median(quick.ours)];
                const note = `a push with a fast upload takes ${before.toFixed(0)} ms at the baseline, ${now.toFixed(0)} ms here`;
                return { quickPushMs: { baseline: before, ours: now }, note };
              },
            });
          },
          1,
        );
      } finally {
        await locked.stop();
      }
    }),
};

/**
 * Returns how many pushes land a second within the window. Adds the durations of the fast pushers' pushes to `quick`.
 */
async function pushesPerSecond(pushers, quick) {
  const startedAt = performance.now();
  const over = () => performance.now() - startedAt > WINDOW_MS;
  let landed = 0;
  const pusher = async ([branch, uploadMs]) => {
    while (!over()) {
      const from = performance.now();
      await branch.push(uploadMs);
      if (uploadMs === 0) quick.push(performance.now() - from);
      if (!over()) landed += 1;
    }
  };
  await Promise.all(pushers.map(pusher));
  return (landed / WINDOW_MS) * 1000;
}

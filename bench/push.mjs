// Measures pushes against the same gate on a bare repository without Lockstep. One commit is pushed over HTTP. Many
// refs at once are pushed into the directory, as sshd does, and over HTTP without git's client: that alone takes a
// minute for 10,000 refs, because it compares each name with each. The plain repository is then as durable as ours.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { compare, git, inFolder, start, time, withCluster } from "./harness.mjs";
import { pushRefs } from "./http-push.mjs";

/** Pushes of one commit before those that are measured. */
const WARM_UP = 100;
const MANY = Number(process.env.BENCH_REFS ?? 10_000);

export const benchmarks = {
  "push one commit": () => pushOne(0, 10),
  "push one commit among 100000 refs": () => pushOne(100_000, 3),
  "push many refs": () => pushMany("push many refs", MANY, 5),
  "push 100000 refs": () => pushMany("push 100000 refs", 100_000, 1),
  "push many refs over HTTP": () =>
    withBoth(async ({ urls, directories }) => {
      await makeDurable(directories[0]);
      let round = 0;
      const pushTo = async (url) => {
        round += 1;
        return await time(() => pushRefs(url, `r${round}`, MANY));
      };
      const [plain, ours] = urls;
      await compare({
        name: "push many refs over HTTP",
        aim: "≤ 1",
        runs: 5,
        baseline: () => pushTo(plain),
        ours: () => pushTo(ours),
        note: `${MANY} refs at once, by a client that is no process`,
      });
    }),
};

/** Measures a push of `count` refs at once into the directory. */
async function pushMany(name, count, runs) {
  await withBoth(async ({ work, directories }) => {
    await makeDurable(directories[0]);
    const tree = await git(work, "hash-object", "-w", "-t", "tree", "/dev/null");
    const tip = await git(work, "commit-tree", "-m", "x", tree);
    let round = 0;
    const pushTo = async (url) => {
      round += 1;
      packRefs(work, tip, `r${round}`, count);
      return await time(() => git(work, "push", "-q", url, `refs/heads/r${round}/*:refs/heads/r${round}/*`));
    };
    const [plain, ours] = directories;
    await compare({
      name,
      aim: "≤ 1",
      runs,
      // A push of so many takes half a minute.
      warm: count <= MANY,
      baseline: () => pushTo(plain),
      ours: () => pushTo(ours),
      note: `${count} refs at once`,
    });
  });
}

/** Makes a plain repository as durable as those of Lockstep. */
async function makeDurable(directory) {
  await git(directory, "config", "core.fsync", "all");
  await git(directory, "config", "receive.unpackLimit", "1");
}

/** Measures a push of one commit to a repository with `others` further refs: the mean of `times` pushes a run. */
async function pushOne(others, times) {
  await withBoth(async ({ work, urls, directories }) => {
    const tree = await git(work, "hash-object", "-w", "-t", "tree", "/dev/null");
    await makeDurable(directories[0]);
    if (others > 0) {
      packRefs(work, await git(work, "commit-tree", "-m", "x", tree), "others", others);
      for (const directory of directories)
        await git(work, "push", "-q", directory, "refs/heads/others/*:refs/heads/others/*");
      for (const directory of directories) await git(directory, "pack-refs", "--all");
      writeFileSync(join(work, "packed-refs"), "");
    }
    const tips = new Map(urls.map((url) => [url, ""]));
    const pushTo = async (url) => {
      const parent = tips.get(url);
      const tip = await git(work, "commit-tree", "-m", `${Math.random()}`, ...(parent ? ["-p", parent] : []), tree);
      tips.set(url, tip);
      return await time(() => git(work, "push", "-q", url, `${tip}:refs/heads/main`));
    };
    const several = async (url) => {
      let sum = 0;
      for (let index = 0; index < times; index += 1) sum += await pushTo(url);
      return sum / times;
    };
    const [plain, ours] = urls;
    // Node compiles the code of a gate and a sidecar that have just started while they run.
    if (others === 0) for (const url of urls) for (let index = 0; index < WARM_UP; index += 1) await pushTo(url);
    await compare({
      name: others > 0 ? `push one commit among ${others} refs` : "push one commit",
      aim: "≤ 1.15",
      runs: 7,
      baseline: () => several(plain),
      ours: () => several(ours),
      note: `mean of ${times} pushes a run`,
    });
  });
}

/** Replaces all refs of the repository with `count` refs below refs/heads/NAME that hold `tip`. */
function packRefs(repository, tip, name, count) {
  const lines = Array.from({ length: count }, (_, index) => `${tip} refs/heads/${name}/${index}\n`);
  writeFileSync(
    join(repository, "packed-refs"),
    `# pack-refs with: peeled fully-peeled sorted \n${lines.sort().join("")}`,
  );
}

async function withBoth(work) {
  await inFolder(async (dir) => {
    const root = join(dir, "plain");
    await git(dir, "init", "-q", "--bare", join(root, "demo.git"));
    await git(dir, "init", "-q", "--bare", "w");
    const plain = await start("bench/plain-gate.mjs", [root]);
    try {
      await withCluster(
        dir,
        async ({ devices }) => {
          const [{ gate, root: ours }] = devices;
          const urls = [`${plain.url}/demo.git`, `${gate.url}/demo.git`];
          const directories = [join(root, "demo.git"), join(ours, "demo.git")];
          await work({ work: join(dir, "w"), urls, directories });
        },
        Number(process.env.BENCH_DEVICES ?? 1),
      );
    } finally {
      await plain.stop();
    }
  });
}

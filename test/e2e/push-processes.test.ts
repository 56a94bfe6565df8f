// The processes of a push over HTTP, counted by git itself (trace2): each costs the server 1 to 3 ms of a processor.
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { freePort, untilListening } from "../support/ports.ts";
import { SOON } from "../support/soon.ts";

/** The programs of git that a push needs beside the hook: it takes the push, keeps the pack, and looks for all objects. */
const LATER = ["index-pack", "receive-pack", "rev-list"];

interface Traced {
  readonly event: string;
  readonly argv?: readonly string[];
  readonly child_class?: string;
}

let cluster: Cluster;
let url: string;
let traces: string;
let end: () => Promise<void>;

beforeAll(async () => {
  cluster = await startCluster();
  const home = join(cluster.dir, "home");
  traces = join(cluster.dir, "traces");
  for (const each of [home, traces]) await mkdir(each);
  await writeFile(join(home, ".gitconfig"), `[trace2]\n\teventTarget = ${traces}\n`);
  const port = await freePort();
  const [one] = cluster.devices;
  const args = ["gate", "--root", one!.demo.root, "--gate-listen", `127.0.0.1:${port}`];
  const child = one!.command(args, { HOME: home });
  for (const stream of [child.stdout, child.stderr]) stream?.resume();
  await untilListening({ host: "127.0.0.1", port });
  url = `http://127.0.0.1:${port}`;
  end = async () => {
    const closed = once(child, "close");
    child.kill("SIGTERM");
    await closed;
  };
});
afterAll(async () => {
  await end?.();
  await cluster?.[Symbol.asyncDispose]();
});

/** Returns the gits that the gate's gits were since the last call, and the other programs that these started. */
async function started(): Promise<{ gits: string[]; others: string[] }> {
  const files = await readdir(traces);
  const texts = await Promise.all(files.map((name) => readFile(join(traces, name), "utf8")));
  // Each git has ended, so its file is whole.
  expect(texts.filter((text) => !text.includes('"event":"atexit"'))).toEqual([]);
  for (const name of files) await rm(join(traces, name));
  const events = texts.flatMap((text) =>
    text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Traced),
  );
  const command = (argv: readonly string[]) => argv.find((word, index) => index > 0 && /^[a-z]+-?[a-z]+$/.test(word));
  const gits = events.filter(({ event }) => event === "start").map(({ argv = [] }) => command(argv) ?? argv.join(" "));
  const others = events
    .filter(({ event, argv = [] }) => event === "child_start" && basename(argv[0] ?? "") !== "git")
    .map(({ argv = [] }) => basename(argv[0] as string));
  return { gits: gits.sort(), others: others.sort() };
}

/** Returns `started` once all gits have ended. */
const startedByNow = () => vi.waitFor(started, SOON);

it("a push that moves a branch starts three gits and one hook; its refs are shown without a git", async () => {
  const { git } = cluster;
  const [one, two] = cluster.devices;
  const repository = await cluster.createRepository();
  const work = await git.workTree("work");
  const here = `${url}/${repository}.git`;
  const push = async (to: string) => {
    const id = await git.commit(work, "more");
    await git.git(["push", "--quiet", to, "HEAD:refs/heads/main"], { cwd: work });
    return id;
  };
  await push(here);
  await startedByNow();
  // Only git knows whether it shows the new branch.
  await push(here);
  const { gits } = await startedByNow();
  expect(gits.filter((name) => name === "receive-pack")).toHaveLength(2);
  for (const _ of [1, 2]) {
    await push(here);
    // git starts `true` where it would ask for the refs of other repositories.
    expect(await startedByNow()).toEqual({ gits: LATER, others: ["proc-receive", "true"] });
  }
  // What another device has taken is shown as well.
  const id = await push(two!.url(repository));
  const shown = await fetch(`${here}/info/refs?service=git-receive-pack`);
  expect(await shown.text()).toContain(`${id} refs/heads/main`);
  await push(here);
  expect(await startedByNow()).toEqual({ gits: LATER, others: ["proc-receive", "true"] });
  // What somebody else has changed on the disk is put back, and nobody is shown it.
  await git.git(["update-ref", "refs/heads/main", `${id}^`], { cwd: one!.gitDir(repository) });
  const last = await push(two!.url(repository));
  const again = await fetch(`${here}/info/refs?service=git-receive-pack`);
  expect(await again.text()).toContain(`${last} refs/heads/main`);
});

// The show of the demo: pushes and clones that a newcomer would try first, each with the time that it took.
import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "../client/client.ts";
import { here } from "../git/command/build.ts";
import type { ForUser } from "../git/command/operations.ts";
import type { DemoCluster, DemoDevice } from "./cluster.ts";

const run = promisify(execFile);

export interface Step {
  readonly what: string;
  readonly ms: number;
}

/**
 * Pushes to the first device, clones from the last, pushes to the last, clones from the second, and prints the
 * versions. Returns the steps with their durations. Throws if a clone lacks the push before it.
 */
export async function show(
  cluster: DemoCluster,
  dir: string,
  path: string,
  say: (line: string) => void,
): Promise<Step[]> {
  const { devices } = cluster;
  const first = devices[0] as DemoDevice;
  const last = devices.at(-1) as DemoDevice;
  const middle = devices[Math.min(1, devices.length - 1)] as DemoDevice;
  const steps: Step[] = [];
  const step = async <Result>(what: string, work: () => Promise<Result>): Promise<Result> => {
    const startedAt = performance.now();
    const result = await work();
    const ms = performance.now() - startedAt;
    steps.push({ what, ms });
    say(`${`${ms.toFixed(0)} ms`.padStart(8)}  ${what}`);
    return result;
  };
  const git = async (cwd: string, ...asked: ForUser["args"]): Promise<string> => {
    const variables = {
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_AUTHOR_NAME: "Demo",
      GIT_AUTHOR_EMAIL: "demo@example.org",
      GIT_COMMITTER_NAME: "Demo",
      GIT_COMMITTER_EMAIL: "demo@example.org",
    };
    const { args, env } = here({ path, home: dir }, { kind: "user", args: asked, variables }, cwd);
    return (await run("git", [...args], { cwd, env })).stdout.trim();
  };
  const commit = async (tree: string, message: string): Promise<string> => {
    await writeFile(join(tree, `${message.replaceAll(" ", "-")}.txt`), `${message}\n`);
    await git(tree, "add", "-A");
    await git(tree, "commit", "--quiet", "-m", message);
    return await git(tree, "rev-parse", "HEAD");
  };
  const remote = (device: DemoDevice) => `${device.gate.url}/demo.git`;

  const work = join(dir, "work");
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  const one = join(work, "one");
  await git(work, "init", "--quiet", "--initial-branch=main", one);
  const pushed = await commit(one, "first commit");
  await step(`git push to ${first.name}`, () => git(one, "push", "--quiet", remote(first), "main"));
  const three = join(work, "three");
  await step(`git clone from ${last.name}`, () => git(work, "clone", "--quiet", remote(last), three));
  expect(await git(three, "rev-parse", "HEAD"), pushed);
  const answer = await commit(three, "second commit");
  await step(`git push to ${last.name}`, () => git(three, "push", "--quiet", "origin", "main"));
  const two = join(work, "two");
  await step(`git clone from ${middle.name}`, () => git(work, "clone", "--quiet", remote(middle), two));
  expect(await git(two, "rev-parse", "HEAD"), answer);
  await showVersions(devices, say);
  return steps;
}

async function showVersions(devices: readonly DemoDevice[], say: (line: string) => void): Promise<void> {
  say("");
  for (const device of devices) {
    using client = new Client({ socket: device.socket });
    const found = await client.call("GetVersion", { repository: "demo" }, { timeoutMs: 10_000 });
    say(`  ${device.name}: version ${found.version} of ${found.headVersion}, leaders ${found.leaders.join(", ")}`);
  }
}

function expect(found: string, wanted: string): void {
  if (found !== wanted) throw new Error(`the demo read ${found} where ${wanted} had been pushed`);
}

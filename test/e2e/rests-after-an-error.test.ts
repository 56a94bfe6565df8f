// A device cannot do its part of a removal, because of its disk. The caller is told at once, and in the end.
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { ada, cluster, one, startClusterOfFile, two } from "../support/file-cluster.ts";
import { soon } from "../support/soon.ts";

startClusterOfFile();

const SOON = soon(100);

/** Lets no files of a device be moved aside until the result is called. */
async function block(): Promise<() => Promise<void>> {
  const path = join(two.demo.root, ".lockstep", "removed");
  await mkdir(path, { recursive: true });
  await rename(path, `${path}-${Date.now()}`);
  await writeFile(path, "in the way");
  return () => rm(path);
}

/** Runs a command. What it has printed so far can be looked at. */
function running(...args: string[]) {
  const child = one.command(args);
  const printed = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name]?.on("data", (chunk: Buffer) => {
      printed[name] += chunk.toString();
    });
  const end = once(child, "close").then(([code]) => ({ code: code as number, ...printed }));
  return { child, printed, end };
}

async function repositoryWithVersion(): Promise<string> {
  const repository = await cluster.createRepository();
  await ada.land(one.url(repository), `${await ada.commit()}:refs/heads/main`);
  await two.sync(repository);
  return repository;
}

it("is told at once which device rests after which error, and ends well once somebody has mended it", async () => {
  const repository = await repositoryWithVersion();
  const unblock = await block();
  const removing = running("repo", "remove", repository, "--yes");
  await vi.waitFor(() => expect(removing.printed.stderr).toContain("EEXIST"), SOON);
  expect(removing.printed.stderr).toContain(`${two.name} could not do its part yet, and goes on trying: `);
  expect(removing.printed.stdout).toBe("");
  await unblock();
  expect(await removing.end).toMatchObject({ code: 0, stdout: expect.stringContaining(`Removed ${repository}.`) });
  expect(existsSync(two.gitDir(repository))).toBe(false);
});

it.each([
  ["for people", []],
  ["for programs", ["--json"]],
])("is told the device, its last error and the next try, if it waits no longer: %s", async (_, flags) => {
  const repository = await repositoryWithVersion();
  const unblock = await block();
  const removing = running("repo", "remove", repository, "--yes", ...flags);
  const open = async () => {
    const { stdout } = await one.print("command", "list", "--device", two.name, "--state", "queued");
    return stdout.split("\n").filter((line) => line.startsWith("release"));
  };
  // The list of commands tells the same.
  await vi.waitFor(async () => {
    const [line] = await open();
    expect(line).toMatch(/rests .*attempt \d+ failed, the next one is due (now|in \d+ s): .*EEXIST/);
  }, SOON);
  if (flags.length === 0) await vi.waitFor(() => expect(removing.printed.stderr).toContain("EEXIST"), SOON);
  removing.child.kill("SIGINT");
  const { code, stdout } = await removing.end;
  expect(code).toBe(3);
  if (flags.length === 0) {
    expect(stdout).toMatch(new RegExp(`^Removed ${repository}`));
    expect(stdout).toMatch(new RegExp(`\n${two.name} has not done its part yet: .*EEXIST`));
    expect(stdout).toContain("lockstep command show ");
  } else {
    const part = JSON.parse(stdout).devices.find(({ device }: { device: string }) => device === two.name);
    expect(part).toMatchObject({ live: true, error: expect.stringContaining("EEXIST"), due_at: expect.any(String) });
    expect((await one.lockstep("command", "show", part.command)).document).toMatchObject({ device: two.name });
  }
  await unblock();
  await vi.waitFor(() => expect(existsSync(two.gitDir(repository))).toBe(false), SOON);
});

// Looks at the place of a replica while other replicas come and go there.
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { inspect } from "../../src/git/replica/repository.ts";
import { STATE_DIR } from "../../src/git/root/root-record.ts";
import { putInDoubt } from "../../src/sync/replica/apply.ts";
import { script } from "../support/gate-site.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";

const APP = "team/app";

it("a directory that is exchanged during the look is looked at again", async () => {
  await using cluster = await TestCluster.make();
  const a = await cluster.start("repo001");
  await cluster.create(APP, [a]);
  const { git } = a.context;
  const [place, away] = [a.gitDir(APP), `${a.gitDir(APP)}.away`];
  const { id } = a.replica(APP);
  const bin = await mkdtemp(join(tmpdir(), "ls-bin-"));
  onTestFinished(async () => await rm(bin, { recursive: true }));
  // The first git finds a directory that is no repository. Before it says so, the replica comes to its place.
  const swap = `rmdir '${place}' && mv '${away}' '${place}' && exit 128`;
  await script(join(bin, "git"), `if test -d '${away}'; then ${swap}; fi\nexec env PATH='${git.path}' git "$@"`);
  await rename(place, away);
  await mkdir(place);
  await expect(inspect(git, place, id)).rejects.toMatchObject({ code: "NOT_A_REPOSITORY" });
  expect(await inspect({ ...git, path: `${bin}:${git.path}` }, place, id)).toBe("replica");
});

it.each([
  ["a signal ends", "kill -9 $$"],
  ["is missing for a moment", "echo 'exec: git: not found' >&2; exit 127"],
  ["lacks memory", "echo 'fatal: Out of memory, malloc failed' >&2; exit 128"],
  ["cannot read the disk", "echo 'fatal: cannot read HEAD: Input/output error' >&2; exit 128"],
])("a git that %s says nothing about a directory: the only copy stays at its place", async (_, end) => {
  await using cluster = await TestCluster.make();
  const a = await cluster.start("repo001");
  await cluster.create(APP, [a]);
  await a.push(APP, [change("main", null, await a.commit(APP, "one"))]);
  await a.expectInLockstep(APP);
  await a.beforeGit(`case "$*" in *--git-dir*) ${end};; esac`);
  await putInDoubt(a.replica(APP));
  await expect(a.read(APP)).rejects.toThrow();
  await a.beforeGit("");
  await vi.waitFor(async () => expect(await a.read(APP)).toMatchObject({ version: 1n }), SOON);
  expect(await readdir(join(a.context.root, STATE_DIR))).not.toContain("misplaced");
  await a.expectInLockstep(APP);
});

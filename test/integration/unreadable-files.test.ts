// Files of a replica that the sidecar or git cannot read are told of by their path.
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { describe as describeError } from "../../src/errors.ts";
import { APP, site } from "../support/replica-with-strangers.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON } from "../support/sync-device.ts";

const run = promisify(execFile);

// root may do everything, but change what is marked immutable.
const noMarks = await canMark();
if (noMarks) console.warn(`The tests of rights that were taken away are skipped: ${noMarks}.`);

async function canMark(): Promise<string | undefined> {
  const path = await mkdtemp(join(tmpdir(), "lockstep-mark-"));
  try {
    await run("chattr", ["+i", path]);
    await run("chattr", ["-i", path]);
    return undefined;
  } catch (error) {
    return `nothing can be made immutable here (${describeError(error)})`;
  } finally {
    await rm(path, { recursive: true });
  }
}

describe.skipIf(noMarks)("rights that were taken away", () => {
  it.each(["refs", "refs/heads", "objects", "objects/pack"])(
    "of %s are told of with their path and what to do, and nothing is moved or made meanwhile",
    async (name) => {
      await using cluster = await TestCluster.make();
      const { a, b, one } = await site(cluster);
      const path = join(a.gitDir(APP), name);
      await run("chattr", ["+i", path]);
      try {
        const theirs = await b.commit(APP, "theirs", { parents: [one] });
        await b.push(APP, [change("main", one, theirs), change("refs/notes/x", null, theirs)]);
        await expect(a.read(APP)).rejects.toMatchObject({
          code: "PREREQUISITE_MISSING",
          message: expect.stringMatching(new RegExp(`team/app.git/(${name}|refs).*chattr -i`)),
        });
        expect(await readdir(join(a.context.root, ".lockstep"))).not.toContain("misplaced");
      } finally {
        await run("chattr", ["-i", path]);
      }
      await vi.waitFor(async () => expect(await a.read(APP)).toMatchObject({ version: 2n }), SOON);
      await a.expectInLockstep(APP);
    },
  );
});

it("the settings of a repository that git cannot read are named, and stay as they are", async () => {
  await using cluster = await TestCluster.make();
  const { a, heads } = await site(cluster);
  const config = join(a.gitDir(APP), "config");
  const good = await readFile(config, "utf8");
  await writeFile(config, "[core\n");
  await writeFile(join(heads, "main 2"), "");
  const told = { code: "PREREQUISITE_MISSING", message: expect.stringContaining("config") };
  await expect(a.read(APP)).rejects.toMatchObject(told);
  expect(await readFile(config, "utf8")).toBe("[core\n");
  await writeFile(config, good);
  await vi.waitFor(async () => expect(await a.read(APP)).toMatchObject({ version: 1n }), SOON);
  await a.expectInLockstep(APP);
});

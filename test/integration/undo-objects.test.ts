// Where the objects of an undo come from.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { TestCluster } from "../support/sync-cluster.ts";
import type { TestDevice } from "../support/sync-device.ts";
import { APP, ask, expectEverywhere, head, undo, withMistakes } from "../support/undoing.ts";

const run = promisify(execFile);
/** Removes what no ref holds from a replica, at once. */
async function prune(device: TestDevice): Promise<void> {
  await device.git(APP, ["repack", "-adq"]);
  await device.git(APP, ["prune", "--expire=now"]);
}

describe("the objects of an undo", () => {
  it("come from another device when they are gone here", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, two, forced } = await withMistakes(cluster);
    await prune(a);
    expect(await a.has(APP, two)).toBe(false);
    await undo(a, 2);
    await undo(a, 3);
    await prune(a);
    await expectEverywhere([a, b], { "refs/heads/main": two, "refs/heads/topic": two });
    expect(await a.has(APP, forced)).toBe(false);
  });

  it("are on every device that follows, also where they were removed meanwhile", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, two } = await withMistakes(cluster);
    await prune(b);
    expect(await b.has(APP, two)).toBe(false);
    await undo(a, 3);
    await undo(a, 2);
    await expectEverywhere([a, b], { "refs/heads/main": two, "refs/heads/topic": two });
  });

  it("are named when no device has them, with their refs", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, two } = await withMistakes(cluster);
    for (const device of [a, b]) await prune(device);
    await expect(ask(a, 2)).rejects.toMatchObject({
      code: "UNDO_REFUSED",
      message: expect.stringContaining(`refs/heads/main (${two})`),
      details: { refs: "refs/heads/main" },
    });
    expect(await head(cluster)).toBe("3");
  });

  it("are as young as those of a push afterwards, so that a clean-up which has begun leaves them alone", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, two } = await withMistakes(cluster);
    // As git does with objects that no ref needs: they become loose, and keep their age.
    await a.git(APP, ["repack", "-Adq"]);
    await run("find", [join(a.gitDir(APP), "objects"), "-type", "f", "-exec", "touch", "-d", "60 days ago", "{}", "+"]);
    const { confirmation } = await ask(a, 2);
    a.onStatement = async (text, call) => {
      // The clean-up, which has found out before which objects no ref needs, removes the old ones now.
      const loose = ["-type", "f", "-path", "*/objects/??/*", "-mtime", "+14", "-delete"];
      if (text.includes("lockstep.bump(")) await run("find", [a.gitDir(APP), ...loose]);
      return await call();
    };
    await ask(a, 2, confirmation);
    expect(await a.has(APP, two)).toBe(true);
    await expectEverywhere([a, b], { "refs/heads/main": two });
  });

  it("are on as many devices as the repository wants before it lands", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, two } = await withMistakes(cluster);
    await cluster.sql("update lockstep.repository set min_copies = 2");
    await prune(b);
    let held = false;
    a.onStatement = async (text, call) => {
      if (text.includes("lockstep.bump(")) held = await b.has(APP, two);
      return await call();
    };
    await undo(a, 2);
    expect(held).toBe(true);
    await b.crash();
    await cluster.sql("update lockstep.device set expires_at = '-infinity' where name = 'repo002'");
    await expect(undo(a, 3)).rejects.toMatchObject({ code: "NOT_ENOUGH_COPIES" });
    expect(await head(cluster)).toBe("4");
  });
});

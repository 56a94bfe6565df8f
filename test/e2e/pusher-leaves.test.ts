// A pusher who vanishes while the sidecar holds the push: nothing lands, and nothing is left of it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { wholeLog } from "../support/at-rest.ts";
import { cluster, one, startClusterOfFile } from "../support/file-cluster.ts";
import { processesAt } from "../support/git.ts";
import { holdPush } from "../support/held-push.ts";
import { pusher } from "../support/pusher.ts";
import { soon } from "../support/soon.ts";

const SOON = soon(10);

startClusterOfFile();

describe("a pusher who vanishes while the refs are locked", () => {
  it("leaves no .keep, no quarantine and no version behind", async () => {
    const repository = await cluster.createRepository();
    const ada = await pusher(cluster.git, "ada");
    const tip = await ada.commit();
    await ada.land(one.url(repository), `${tip}:refs/heads/main`);
    const next = await ada.commit(tip);
    await using held = await holdPush(one, repository, "prepared");
    const push = spawn("git", ["push", one.gitDir(repository), `${next}:refs/heads/held/main`], {
      cwd: ada.dir,
      env: cluster.git.env,
      stdio: "ignore",
    });
    await held.reached();
    push.kill("SIGKILL");
    await once(push, "exit");
    await vi.waitFor(async () => {
      await held.release();
      const left = await processesAt(one.gitDir(repository));
      expect(left.filter((line) => line.includes("receive-pack"))).toEqual([]);
    }, SOON);
    const entries = await readdir(join(one.gitDir(repository), "objects"), { recursive: true });
    expect(entries.filter((name) => /tmp_objdir|\.keep$/.test(name))).toEqual([]);
    expect(await wholeLog(one, repository)).toHaveLength(1);
    await ada.land(one.url(repository), `${next}:refs/heads/main`);
  });
});

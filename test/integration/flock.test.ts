import { spawnSync } from "node:child_process";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hasNative, NATIVE, Site, shims } from "../support/shim-site.ts";

describe.runIf(hasNative)("lockstep-git flock", () => {
  it("takes the lock on an open file for its caller, and says when another has it", async () => {
    await using site = await Site.create(shims[0]!);
    await using mine = await open(join(site.dir, "lock"), "a");
    await using theirs = await open(join(site.dir, "lock"), "a");
    const lock = (fd: number | "ignore", argument: string) =>
      spawnSync(NATIVE, ["flock", argument], { stdio: ["ignore", "pipe", "pipe", fd], encoding: "utf8" });
    expect(lock(mine.fd, "3").status).toBe(0);
    expect(lock(mine.fd, "3").status).toBe(0);
    expect(lock(theirs.fd, "3").status).toBe(1);
    expect(lock("ignore", "77")).toMatchObject({
      status: 2,
      stderr: "lockstep: the descriptor 77 cannot be locked: Bad file descriptor.\n",
    });
    expect(lock("ignore", "x").status).toBe(2);
  });
});

import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { hasScratch, listScratches } from "../../src/git/scratch/scratch.ts";

it("a list of scratches that cannot be read is not taken for an empty one", async () => {
  const stateDir = await mkdtemp(join(tmpdir(), "ls-scratch-"));
  try {
    expect(await listScratches(stateDir)).toEqual([]);
    expect(await hasScratch(stateDir, "/srv/git/team/app.git")).toBe(false);
    await symlink("scratch", join(stateDir, "scratch"));
    await expect(listScratches(stateDir)).rejects.toMatchObject({ code: "ELOOP" });
    await expect(hasScratch(stateDir, "/srv/git/team/app.git")).rejects.toMatchObject({ code: "ELOOP" });
  } finally {
    await rm(stateDir, { recursive: true });
  }
});

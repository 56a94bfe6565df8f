import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runLeased } from "../../src/cli/parts/leased-command.ts";

it("starts no command in a directory of another user", async () => {
  const { uid } = userInfo();
  const own = await mkdtemp(join(tmpdir(), "leased-"));
  try {
    // Who is not root cannot give a directory away, and has root's to try.
    const path = uid === 0 ? own : "/usr";
    if (uid === 0) await chown(own, 65_534, 65_534);
    const session = {
      repository: "team/app",
      path,
      token: "",
      writeId: "",
      live: false,
      baseVersion: "0",
      expiresAt: null,
    };
    await expect(runLeased({} as never, {} as never, session, ["true"])).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining("belongs to another user; run this as the user of the sidecar"),
    });
  } finally {
    await rm(own, { recursive: true });
  }
});

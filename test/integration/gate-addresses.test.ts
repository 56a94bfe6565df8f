// How the address of a repository may be written, and what is refused.
import { describe, expect, it } from "vitest";
import { makeGateWithCommit, REFS, site, tip } from "../support/gate-requests.ts";

makeGateWithCommit();

describe("an address", () => {
  it("the address of a repository may end with a slash", async () => {
    const url = `${site.gate.url}/team/app.git/`;
    expect(await site.sandbox.git(["ls-remote", url])).toContain(tip);
    await site.sandbox.git(["push", "--quiet", url, "main:topic"], { cwd: site.work });
    expect(await site.refs()).toContain("refs/heads/topic");
  });

  it.each(["//team/app.git", "/team//app.git", "///team/app.git", "/team/app.git//", "/team/app.git.git"])(
    "has the exact name of a repository: %s is refused",
    async (path) => {
      const { status, body } = await site.fetchRaw(`${path}/info/refs?service=git-upload-pack`);
      expect(status).toBe(400);
      expect(body).toMatch(/^The repository name ".+" has a part .+; use words like team\/app\.\n/);
      const pushed = await site.sandbox.run(["push", `${site.gate.url}${path}`, "main:topic"], { cwd: site.work });
      expect(pushed.code).not.toBe(0);
      expect(await site.refs()).not.toContain("refs/heads/topic");
    },
  );

  it("may name the host once more, as proxies do", async () => {
    const { status, body } = await site.fetchRaw(`http://elsewhere:1${REFS}?service=git-upload-pack`);
    expect(status).toBe(200);
    expect(body).toContain(tip);
  });

  it.each(["team/./app", "//..//team/app", "team%2F%2Fapp", "/team/app.git//objects"])(
    "is none with dots: %s",
    async (name) => {
      const { status } = await site.fetchRaw(`/${name}.git/info/refs?service=git-upload-pack`);
      expect(status).toBe(400);
    },
  );
});

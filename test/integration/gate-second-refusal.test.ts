// A refusal of the second request of a push or fetch comes in git's protocol, where people read it.
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { LockstepError } from "../../src/errors.ts";
import { line, makeGateWithCommit, RECEIVE, site, tip, ZERO } from "../support/gate-requests.ts";
import { GRANT, PUSH_TYPE } from "../support/gate-site.ts";

makeGateWithCommit();

describe("a refusal of the second request", () => {
  const SENTENCE = "The database does not answer; try again.";
  const refuse = (from: number) => {
    let asked = 0;
    site.beforeRead = async () => {
      asked += 1;
      if (asked >= from) throw new LockstepError("DATABASE_UNAVAILABLE", SENTENCE);
      return GRANT;
    };
  };

  it.each([
    ["a small push", []],
    ["a push in chunks, with a probe before it", ["-c", "http.postBuffer=1000"]],
    ["an atomic push", []],
  ])("a refusal of the second request of %s is told for each ref", async (what, settings) => {
    await site.sandbox.commit(site.work, "second", { large: Buffer.alloc(300_000, Math.random().toString()) });
    refuse(2);
    const args = [
      ...settings,
      "push",
      ...(what.includes("atomic") ? ["--atomic"] : []),
      "origin",
      "main",
      "main:other",
      ":gone",
    ];
    await site.sandbox.git(["update-ref", "refs/heads/gone", tip], { cwd: site.bare });
    const { code, stderr } = await site.sandbox.run(args, { cwd: site.work });
    expect(code).toBe(1);
    for (const ref of ["main -> main", "main -> other", "gone"])
      expect(stderr).toContain(` ! [remote rejected] ${ref} (${SENTENCE})`);
    expect(stderr).toMatch(/^remote: Request [\w-]{36}\s*$/m);
    expect(stderr).not.toMatch(/RPC failed|HTTP 503|Everything up-to-date/);
    expect(await site.refs()).toContain(`${tip} commit\trefs/heads/main`);
    await site.untilNoGitRuns();
  });

  it("leaves the connection fit for the next request", async () => {
    refuse(2);
    await site.sandbox.commit(site.work, "second");
    expect((await site.sandbox.run(["push", "origin", "main"], { cwd: site.work })).code).toBe(1);
    site.beforeRead = async () => GRANT;
    expect((await site.sandbox.run(["push", "origin", "main"], { cwd: site.work })).code).toBe(0);
  });

  it.each([
    [
      "with side-band-64k",
      " report-status side-band-64k",
      /^....<2>The database.*<1>[0-9a-f]{4}unpack refused\n[0-9a-f]{4}ng refs\/heads\/x The database.*0000$/s,
    ],
    ["with side-band", " report-status side-band", /^....<2>The database.*<1>[0-9a-f]{4}unpack refused\n/s],
    [
      "without side band",
      " report-status",
      /^0013unpack refused\n[0-9a-f]{4}ng refs\/heads\/x The database does not answer; try again\.\n0000$/,
    ],
    [
      "with report-status-v2",
      " report-status-v2 side-band-64k",
      /unpack refused\n[0-9a-f]{4}ng refs\/heads\/x The database/,
    ],
  ])("is a report %s", async (_what, capabilities, expected) => {
    refuse(1);
    const body = `${line(`${ZERO} ${tip} refs/heads/x\0${capabilities}`)}0000PACK`;
    for (const [encoded, headers] of [
      [body, PUSH_TYPE],
      [gzipSync(body), { ...PUSH_TYPE, "Content-Encoding": "gzip" }],
    ] as const) {
      const answer = await site.fetchRaw(RECEIVE, { method: "POST", headers }, encoded);
      expect(answer.status).toBe(200);
      expect(answer.headers["content-type"]).toBe("application/x-git-receive-pack-result");
      const shown = answer.body.replaceAll("\x01", "<1>").replaceAll("\x02", "<2>");
      expect(shown).toMatch(expected);
    }
  });

  it("a refusal of the second request of a push of 3,000 refs is told for each of them", async () => {
    refuse(2);
    const refspecs = Array.from({ length: 3_000 }, (_, n) => `main:refs/heads/topic/with-a-name-of-some-length/${n}`);
    const { code, stderr } = await site.sandbox.run(["push", "origin", ...refspecs], { cwd: site.work });
    expect(code).toBe(1);
    expect(stderr.match(/! \[remote rejected\]/g)).toHaveLength(3_000);
  });

  it.each([
    ["no report was asked for", () => `${line(`${ZERO} ${tip} refs/heads/x\0 side-band-64k`)}0000PACK`],
    ["the body is none of git's", () => "zzzz"],
    [
      "the commands have more than 1 MiB",
      () => `${line(`${ZERO} ${tip} refs/heads/x\0 report-status`)}${line(`${ZERO} ${tip} refs/x`).repeat(12_000)}0000`,
    ],
    ["the body ends before the commands do", () => line(`${ZERO} ${tip} refs/heads/x\0 report-status`)],
  ])("is an HTTP status where %s", async (_what, body) => {
    refuse(1);
    const answer = await site.fetchRaw(RECEIVE, { method: "POST", headers: PUSH_TYPE }, body());
    expect(answer.status).toBe(503);
    expect(answer.headers["retry-after"]).toBe("1");
    expect(answer.body).toContain(SENTENCE);
  });

  it.each(["0", "1", "2"])(
    "a refusal of the second request of a fetch is told as git's own error, version %s",
    async (version) => {
      const second = await site.sandbox.commit(site.work, "second");
      await site.sandbox.git(["push", "--quiet", "origin", "main"], { cwd: site.work });
      await site.sandbox.git(["init", "--quiet", "--bare", "clone.git"]);
      refuse(2);
      const args = ["-c", `protocol.version=${version}`, "fetch", site.gate.url.concat("/team/app.git"), second];
      const { code, stderr } = await site.sandbox.run(args, { cwd: join(site.sandbox.dir, "clone.git") });
      expect(code).toBe(128);
      expect(stderr).toMatch(/^fatal: remote error: The database does not answer; try again\. \(request [\w-]{36}\)$/m);
      expect(stderr).not.toMatch(/RPC failed|HTTP 503/);
    },
  );
});

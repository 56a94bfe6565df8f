// The gate asks the sidecar before git serves anybody, and starts git early meanwhile.
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LockstepError } from "../../src/errors.ts";
import { toldToStrangers } from "../../src/smart-http/strangers.ts";
import { GateSite, GRANT } from "../support/gate-site.ts";

let site: GateSite;

beforeEach(async () => {
  site = await GateSite.make();
});

afterEach(async () => await site[Symbol.asyncDispose]());

describe("the sidecar's word", () => {
  const down = () =>
    Promise.reject(new LockstepError("DATABASE_UNAVAILABLE", "The database does not answer; try again."));

  it("reaches the terminal of a refused client, and nothing changes", async () => {
    await site.sandbox.commit(site.work, "first");
    site.beforeRead = down;
    const { code, stderr } = await site.sandbox.run(["push", "origin", "main"], { cwd: site.work });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/^remote: The database does not answer; try again\.\nremote: Request [\w-]{36}$/m);
    expect(stderr).toMatch(/503/);
    expect(await site.refs()).toBe("");
    await site.untilNoGitRuns();
  });

  it("is asked for every request, so that the second one of a push can still be refused", async () => {
    await site.sandbox.commit(site.work, "first");
    const asked: string[] = [];
    site.beforeRead = async (name) => {
      asked.push(name);
      if (asked.length === 2) await down();
      return GRANT;
    };
    const { code, stderr } = await site.sandbox.run(["push", "origin", "main"], { cwd: site.work });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/ ! \[remote rejected\] main -> main \(The database does not answer; try again\.\)/);
    expect(asked).toEqual(["team/app", "team/app"]);
    expect(await site.refs()).toBe("");
    await site.untilNoGitRuns();
  });

  it.each([
    ["INVALID_NAME", 400, undefined],
    ["PERMISSION_DENIED", 403, undefined],
    ["REPOSITORY_NOT_FOUND", 404, undefined],
    ["REPLICA_IN_DOUBT", 503, undefined],
    ["NO_SOURCE", 503, "2"],
    ["QUEUE_FULL", 503, "1"],
    ["INTERNAL", 500, undefined],
  ] as const)("turns %s into %i", async (code, status, retryAfter) => {
    const error = new LockstepError(code, "The reason.");
    site.beforeRead = () => Promise.reject(error);
    const answer = await site.fetchRaw("/team/app.git/info/refs?service=git-upload-pack", {
      headers: { "X-Request-Id": "abc-1" },
    });
    expect(answer).toMatchObject({ status, body: `${toldToStrangers(error)}\nRequest abc-1\n` });
    expect(answer.headers["retry-after"]).toBe(retryAfter);
    expect(answer.headers["x-request-id"]).toBe("abc-1");
  });

  it("is a short sentence with an id, by which the operator finds all of it in the log", async () => {
    const logged: Record<string, unknown>[] = [];
    const warn = (fields: Record<string, unknown>) => void logged.push(fields);
    await using gate = await site.openGate({ log: { info: () => {}, warn, error: () => {} } });
    const secret = 'no pg_hba.conf entry for host "10.0.0.7", user "lockstep" in /srv/git; set LOCKSTEP_DATABASE_URL.';
    site.beforeRead = () => Promise.reject(new LockstepError("DATABASE_UNAVAILABLE", secret));
    const { stderr } = await site.sandbox.run(["ls-remote", `${gate.url}/team/app.git`]);
    const [, id] = /^remote: Request (\S+)$/m.exec(stderr) ?? [];
    expect(stderr).not.toMatch(/pg_hba|10\.0\.0\.7|user "|\/srv|LOCKSTEP_/);
    expect(logged).toMatchObject([{ requestId: id, err: { message: secret } }]);
  });

  it("stays in the log when it is not meant for people", async () => {
    site.beforeRead = () => Promise.reject(new Error("password=secret"));
    const answer = await site.fetchRaw("/team/app.git/info/refs?service=git-upload-pack");
    expect(answer.status).toBe(500);
    expect(answer.body).not.toContain("secret");
  });

  it("is no longer waited for when the client has left", async () => {
    const left = new Promise<void>((resolve) => {
      site.beforeRead = async (_, { signal }) => {
        client.destroy();
        await once(signal, "abort");
        resolve();
        throw signal.reason;
      };
    });
    const client = site.open("/team/app.git/info/refs?service=git-upload-pack").on("error", () => {});
    client.end();
    await left;
    await site.untilNoGitRuns();
  });
});

// The gate starts git before the sidecar has answered. What that git has seen must not be older than the answer.
import { once } from "node:events";
import { mkdir, rename, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Grant } from "../../src/gate/cache/grant.ts";
import { FETCH_TYPE, GateSite, GRANT, PUSH_TYPE, SOON } from "../support/gate-site.ts";
import { processesAt } from "../support/git.ts";

let site: GateSite;

beforeEach(async () => {
  site = await GateSite.make();
});

afterEach(async () => await site[Symbol.asyncDispose]());

describe("the sidecar's word", () => {
  it("is waited for with the commands of a push, though git waits already", async () => {
    const id = await site.sandbox.commit(site.work, "first");
    const body = await site.pushBody("refs/heads/main", id);
    const { granted, grant } = waitingForGrant();
    site.beforeRead = () => granted;
    const answer = site.fetchRaw("/team/app.git/git-receive-pack", { method: "POST", headers: PUSH_TYPE }, body);
    await site.untilGitRuns();
    await vi.waitFor(async () => expect(await site.starts()).toBe(1), SOON);
    expect(await site.refs()).toBe("");
    grant({ unchangedMs: 0 });
    expect((await answer).body).toContain("ok refs/heads/main");
    expect(await site.refs()).toContain(id);
    expect(await site.starts()).toBe(1);
  });

  it.each(["missing", "empty"])(
    "may come with the first copy of a repository that was %s when git was started",
    async (was) => {
      const id = await site.sandbox.commit(site.work, "first");
      const body = await site.pushBody("refs/heads/main", id);
      const bare = join(site.sandbox.dir, "root/team/new.git");
      if (was === "empty") await mkdir(bare);
      site.beforeRead = async () => {
        if (was === "empty") await vi.waitFor(async () => expect(await site.starts()).toBe(1), SOON);
        await vi.waitFor(async () => expect(await processesAt(bare)).toEqual([]), SOON);
        await site.sandbox.git(["init", "--quiet", "--bare", bare]);
        return GRANT;
      };
      const answer = await site.fetchRaw(
        "/team/new.git/git-receive-pack",
        { method: "POST", headers: PUSH_TYPE },
        body,
      );
      expect(answer.body).toContain("ok refs/heads/main");
    },
  );

  const ADVERTISED = [
    ["receive-pack", {}],
    ["upload-pack", {}],
    ["upload-pack", { "Git-Protocol": "version=1" }],
  ] as const;

  it.each(ADVERTISED)("is waited for with what git has seen already: %s %j", async (service, headers) => {
    const id = await site.sandbox.commit(site.work, "first");
    await site.sandbox.git(["push", "--quiet", "origin", "main"], { cwd: site.work });
    const before = await site.starts();
    const { granted, grant } = waitingForGrant();
    site.beforeRead = () => granted;
    const request = site.open(`/team/app.git/info/refs?service=git-${service}`, { headers });
    let answered = false;
    request.once("response", () => {
      answered = true;
    });
    const response = once(request.end(), "response") as Promise<[IncomingMessage]>;
    await vi.waitFor(async () => expect(await site.starts()).toBe(before + 1), SOON);
    await site.untilNoGitRuns();
    expect(answered).toBe(false);
    grant(GRANT);
    expect(await text((await response)[0])).toContain(id);
    expect(await site.starts()).toBe(before + 1);
  });

  it.each(ADVERTISED)("makes git look again where refs may have changed meanwhile: %s %j", async (service, headers) => {
    const id = await site.sandbox.commit(site.work, "first");
    await site.sandbox.git(["push", "--quiet", "origin", "main"], { cwd: site.work });
    const before = await site.starts();
    site.beforeRead = async () => {
      await vi.waitFor(async () => expect(await site.starts()).toBe(before + 1), SOON);
      await site.untilNoGitRuns();
      const startedAt = performance.now();
      await site.sandbox.git(["update-ref", "refs/heads/late", id], { cwd: site.bare });
      return { unchangedMs: performance.now() - startedAt };
    };
    const answer = await site.fetchRaw(`/team/app.git/info/refs?service=git-${service}`, { headers });
    expect(answer.body).toContain("refs/heads/late");
    expect(await site.starts()).toBe(before + 2);
  });

  it("is waited for with a git that has looked at no ref yet, so it sees every change", async () => {
    const id = await site.sandbox.commit(site.work, "first");
    await site.sandbox.git(["push", "--quiet", "origin", "main"], { cwd: site.work });
    const before = await site.starts();
    site.beforeRead = async () => {
      await site.untilGitRuns();
      await site.sandbox.git(["update-ref", "refs/heads/late", id], { cwd: site.bare });
      return { unchangedMs: 0 };
    };
    const headers = { ...FETCH_TYPE, "Git-Protocol": "version=2" };
    const listRefs = "0014command=ls-refs\n00010000";
    const answer = await site.fetchRaw("/team/app.git/git-upload-pack", { method: "POST", headers }, listRefs);
    expect(answer.body).toContain("refs/heads/late");
    expect(await site.starts()).toBe(before + 1);
  });

  it.each([
    ["ls-refs of version 2", "/git-upload-pack", { ...FETCH_TYPE, "Git-Protocol": "version=2" }],
    ["an advertisement", "/info/refs?service=git-upload-pack", {}],
    ["an advertisement for a push", "/info/refs?service=git-receive-pack", {}],
  ])("is not served by a git that was started in another repository's replica: %s", async (_, path, headers) => {
    const other = await site.sandbox.bare("root/team/other.git");
    const ids = { app: await site.sandbox.commit(site.work, "app"), other: "" };
    await site.sandbox.git(["push", "--quiet", site.bare, "main"], { cwd: site.work });
    ids.other = await site.sandbox.commit(site.work, "other");
    await site.sandbox.git(["push", "--quiet", other, "main"], { cwd: site.work });
    // Each lies where the other one belongs, until the sidecar has looked.
    await exchange(site.bare, other);
    const before = await site.starts();
    site.beforeRead = async () => {
      await vi.waitFor(async () => expect(await site.starts()).toBe(before + 1), SOON);
      if (path === "/git-upload-pack") await site.untilGitRuns();
      else await site.untilNoGitRuns();
      await exchange(site.bare, other);
      return GRANT;
    };
    const method = path === "/git-upload-pack" ? "POST" : "GET";
    const body = method === "POST" ? "0014command=ls-refs\n00010000" : "";
    const answer = await site.fetchRaw(`/team/app.git${path}`, { method, headers }, body);
    expect(answer.body).toContain(ids.app);
    expect(answer.body).not.toContain(ids.other);
    expect(await site.starts()).toBe(before + 2);
  });

  /** A git that is ended before it has noted its start is not counted. */
  const firstStart = () => vi.waitFor(async () => expect(await site.starts()).toBe(1), SOON);

  it("does not let a push into another repository's replica that lay there when git was started", async () => {
    const other = await site.sandbox.bare("root/team/other.git");
    const id = await site.sandbox.commit(site.work, "first");
    await exchange(site.bare, other);
    site.beforeRead = async () => {
      await firstStart();
      await exchange(site.bare, other);
      return { unchangedMs: 0 };
    };
    const body = await site.pushBody("refs/heads/main", id);
    const answer = await site.fetchRaw("/team/app.git/git-receive-pack", { method: "POST", headers: PUSH_TYPE }, body);
    expect(answer.body).toContain("ok refs/heads/main");
    expect(await site.refs()).toContain(id);
    expect(await site.sandbox.git(["for-each-ref"], { cwd: other })).toBe("");
    expect(await site.starts()).toBe(2);
  });

  it("is not served by a git that was started while the settings named another repository", async () => {
    await writeFile(join(site.bare, "lockstep.config"), "[lockstep]\n\trepositoryId = other\n");
    site.beforeRead = async () => {
      await firstStart();
      await writeFile(join(site.bare, "lockstep.config"), "[lockstep]\n\trepositoryId = app\n");
      return GRANT;
    };
    const headers = { ...FETCH_TYPE, "Git-Protocol": "version=2" };
    await site.fetchRaw("/team/app.git/git-upload-pack", { method: "POST", headers }, "0014command=ls-refs\n00010000");
    expect(await site.starts()).toBe(2);
  });

  it("has a git started early for at most 32 requests at once, and later for the others", async () => {
    const { granted, grant } = waitingForGrant();
    const asked: string[] = [];
    site.beforeRead = (name) => {
      asked.push(name);
      return granted;
    };
    const MANY = 50;
    const path = "/team/app.git/info/refs?service=git-upload-pack";
    const answers = Array.from({ length: MANY }, () => site.fetchRaw(path));
    await vi.waitFor(() => expect(asked).toHaveLength(MANY), SOON);
    await vi.waitFor(async () => expect(await site.starts()).toBe(32), SOON);
    grant(GRANT);
    for (const answer of answers) expect((await answer).status).toBe(200);
    expect(await site.starts()).toBe(MANY);
  });
});

/** A sidecar that takes its time. */
function waitingForGrant() {
  let grant: (answer: Grant) => void = () => {};
  const granted = new Promise<Grant>((resolve) => {
    grant = resolve;
  });
  return { granted, grant };
}

async function exchange(one: string, another: string): Promise<void> {
  await rename(one, `${one}.away`);
  await rename(another, one);
  await rename(`${one}.away`, another);
}

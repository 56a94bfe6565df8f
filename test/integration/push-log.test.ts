// The push log, as a device notes it, writes it and lists it.
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { EventFilter } from "../../src/store/activity/list-events.ts";
import * as site from "../support/event-log-site.ts";
import { SOON } from "../support/sync-device.ts";

site.startLoggingDevices();

describe("the push log", () => {
  it("has who pushed what, from where, when, and with which outcome", async () => {
    const before = Date.now();
    const tip = await site.commit("one");
    expect(await site.push("HEAD:refs/heads/main", { LOCKSTEP_REQUEST_ID: "request-1" })).toMatchObject({ code: 0 });
    const [row, ...others] = await site.pushes();
    expect(others).toEqual([]);
    expect(row).toEqual({
      at: expect.any(Date),
      ...{
        device: site.a.name,
        repository: site.APP,
        author: "ada",
        address: "10.0.0.7",
        way: "http",
        requestId: "request-1",
      },
      ...{ result: "landed", version: 1n, code: null, reason: null },
      ...{ refs: [["refs/heads/main", null, tip, null]], refsTotal: 1, durationMs: expect.any(Number) },
      ...{ hostMs: expect.any(Number), databaseMs: expect.any(Number), copiesMs: 0, writersMs: expect.any(Number) },
      ...{ readsMs: expect.any(Number), hooksMs: expect.any(Number) },
    });
    expect(row!.at.getTime()).toBeGreaterThan(before - 1_000);
    expect(row!.at.getTime()).toBeLessThan(Date.now() + 1_000);
    expect(row!.hostMs + row!.databaseMs).toBeGreaterThan(0);
    expect(row!.durationMs).toBeGreaterThanOrEqual(row!.hostMs + row!.databaseMs + row!.writersMs - 3);
  });

  it("has no say about a push: each keeps its answer, though it cannot be noted", async () => {
    const noted = vi.spyOn(site.a.context.events, "pushed").mockImplementation(() => {
      throw new Error("the log is broken");
    });
    const tip = await site.commit("one");
    expect(await site.push("HEAD:refs/heads/main")).toMatchObject({ code: 0 });
    expect(await site.a.refs(site.APP)).toMatchObject({ "refs/heads/main": tip });
    const refused = await site.push("HEAD:refs/heads/more", { GIT_NAMESPACE: "other" });
    expect(refused.stderr).toContain("The git server serves a namespace");
    expect(noted).toHaveBeenCalledTimes(2);
    expect(site.a.logged.filter(({ msg }) => /could not note a push/.test(String(msg)))).toHaveLength(2);
  });

  it("tells pushes over ssh from those of this machine", async () => {
    await site.commit("one");
    await site.push("HEAD:refs/heads/ssh", { REMOTE_ADDR: "", SSH_CONNECTION: "10.0.0.8 5000 10.0.0.1 22" });
    await site.push("HEAD:refs/heads/here", { REMOTE_ADDR: "" });
    expect(await site.pushes()).toMatchObject([
      { way: "direct", address: null, refs: [["refs/heads/here", null, expect.any(String), null]] },
      { way: "ssh", address: "10.0.0.8", refs: [["refs/heads/ssh", null, expect.any(String), null]] },
    ]);
  });

  it("has refused pushes with the reason, and how long the hook took that refused them", async () => {
    const hook = join(site.a.gitDir(site.APP), "hooks", "update");
    await writeFile(hook, '#!/bin/sh\n[ "$1" != refs/heads/no ] || { sleep 0.2; exit 1; }\n');
    await chmod(hook, 0o755);
    await site.commit("one");
    expect((await site.push("HEAD:refs/heads/no")).code).toBe(1);
    const [refused] = await site.pushes();
    expect(refused).toMatchObject({
      ...{ result: "refused", version: null, reason: "refs/heads/no: hook declined" },
      refs: [["refs/heads/no", null, expect.any(String), "hook declined"]],
    });
    expect(refused!.hooksMs).toBeGreaterThanOrEqual(200);
    expect(refused!.hostMs).toBeLessThan(refused!.durationMs - 190);
  });

  it("has a push of which some refs landed, with the reason for each of the others", async () => {
    const hook = join(site.a.gitDir(site.APP), "hooks", "update");
    await writeFile(hook, '#!/bin/sh\n[ "$1" != refs/heads/no ]\n');
    await chmod(hook, 0o755);
    const tip = await site.commit("one");
    await site.sandbox.run(["push", site.a.gitDir(site.APP), "HEAD:refs/heads/no", "HEAD:refs/heads/yes"], {
      cwd: site.work(),
      env: { LOCKSTEP_SOCKET_DIR: site.a.context.socketDir, LOCKSTEP_PUSHER: "bob" },
    });
    const rows = await site.pushes({ author: "bob" });
    expect(rows).toMatchObject([{ result: "landed", version: 1n, refsTotal: 2 }]);
    expect(rows[0]!.refs).toEqual(
      expect.arrayContaining([
        ["refs/heads/yes", null, tip, null],
        ["refs/heads/no", null, tip, "hook declined"],
      ]),
    );
  });

  it("has how long a push waited for another writer of the repository", async () => {
    await site.commit("one");
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { mutex } = site.a.replica(site.APP);
    const holding = mutex.runExclusive(() => held);
    const pushing = site.push("HEAD:refs/heads/main");
    // Another writer of this replica has it until this push waits behind it, and for 150 ms more.
    await vi.waitFor(
      () => expect((mutex as unknown as { _semaphore: { _queue: [] } })._semaphore._queue).toHaveLength(1),
      SOON,
    );
    setTimeout(release, 150);
    await holding;
    expect(await pushing).toMatchObject({ code: 0 });
    const [row] = await site.pushes();
    expect(row!.writersMs).toBeGreaterThanOrEqual(100);
  });

  it("has pushes that were refused before their upload, but no push that was only begun", async () => {
    await site.asks(site.a, { forPush: true });
    await expect(
      site.asks(site.a, {
        forPush: true,
        minVersion: "9",
        reader: { user: "eve", address: "10.0.0.9", requestId: "" },
      }),
    ).rejects.toMatchObject({ code: "VERSION_AHEAD" });
    expect(await site.pushes()).toMatchObject([
      { result: "refused", code: "VERSION_AHEAD", author: "eve", address: "10.0.0.9", refs: [], refsTotal: 0 },
    ]);
    expect(await site.pulls()).toMatchObject([{ what: "push", result: "current", author: "frontend web" }]);
  });

  it("is filtered by repository, device, author, result, ref and time", async () => {
    await site.commit("one");
    await site.push("HEAD:refs/heads/main");
    await site.push("HEAD:refs/tags/v1", { REMOTE_USER: "bob" });
    const count = async (filter: Partial<EventFilter>) => (await site.pushes(filter)).length;
    expect(await count({})).toBe(2);
    expect(await count({ repository: site.APP })).toBe(2);
    expect(await count({ repository: "team/other" })).toBe(0);
    expect(await count({ device: site.b.name })).toBe(0);
    expect(await count({ author: "bob" })).toBe(1);
    expect(await count({ result: "refused" })).toBe(0);
    for (const ref of ["main", "heads/main", "refs/heads/main", "v1"]) expect(await count({ ref }), ref).toBe(1);
    expect(await count({ ref: "mai" })).toBe(0);
    const hour = 3_600_000;
    expect(await count({ since: new Date(Date.now() + hour) })).toBe(0);
    expect(await count({ until: new Date(Date.now() - hour) })).toBe(0);
    expect(await count({ since: new Date(Date.now() - hour), until: new Date(Date.now() + hour) })).toBe(2);
    expect(await count({ limit: 1 })).toBe(1);
    // Under its new name a repository has the rows of its old one.
    await site.cluster.sql("update lockstep.repository set name = 'team/new' where name = $1", [site.APP]);
    expect(await count({ repository: "team/new" })).toBe(2);
  });
});

// The pull log, as a device notes it, writes it and lists it.
import { describe, expect, it } from "vitest";
import { reportReads } from "../../src/rpc/handlers/report-reads.ts";
import { writeEvents } from "../../src/sync/activity/keep-writing.ts";
import * as site from "../support/event-log-site.ts";
import { change } from "../support/sync-device.ts";

site.startLoggingDevices();

describe("the pull log", () => {
  it("has who read, and that the read waited for a catch-up", async () => {
    const one = await site.a.commit(site.APP, "one");
    await site.a.push(site.APP, [change("main", null, one)]);
    const reader = { user: "ada", address: "10.0.0.7", requestId: "r" };
    await site.asks(site.b, { reader });
    await site.asks(site.b);
    await writeEvents(site.b.context);
    const rows = await site.pulls({ device: site.b.name });
    const read = { repository: site.APP, way: "frontend", what: "read", version: 1n, code: null, reason: null };
    expect(rows).toMatchObject([
      { ...read, result: "current", author: "frontend web", address: null, requestId: null, standsFor: 1 },
      { ...read, result: "caught_up", author: "ada", address: "10.0.0.7", requestId: "r", standsFor: 1 },
    ]);
    expect(rows[1]!.waitMs).toBeGreaterThan(0);
  });

  it("has stale reads, and refused ones with the code", async () => {
    await site.asks(site.a);
    await site.asks(site.a, { maxStaleness: { seconds: "3600", nanos: 0 } });
    await expect(site.asks(site.a, { repository: "no/such" })).rejects.toMatchObject({ code: "REPOSITORY_NOT_FOUND" });
    expect(await site.pulls()).toMatchObject([
      { result: "refused", code: "REPOSITORY_NOT_FOUND", repository: "no/such", version: null },
      { result: "stale" },
      { result: "current" },
    ]);
    expect(await site.pulls({ repository: "no/such" })).toHaveLength(1);
  });

  it("has no call of a front end that tells of its reads itself, and has what it tells", async () => {
    await site.asks(site.a, { reportsReads: true });
    const told = { repository: site.APP, reader: { user: "ada", address: "10.0.0.7", requestId: "r" }, what: "clone" };
    const took = { waited: { seconds: "0", nanos: 5_000_000 }, took: { seconds: "1", nanos: 0 } };
    const read = { ...told, ...took, version: "0", fetched: true, ago: null, code: "", reason: "", standsFor: 3 };
    await reportReads(site.a.context)({ reads: [read, { ...read, what: "push", code: "WRITES_STOPPED" }] } as never);
    expect(await site.pulls()).toMatchObject([
      { way: "http", what: "clone", result: "caught_up", author: "ada", waitMs: 5, durationMs: 1_000, standsFor: 3 },
    ]);
    expect(await site.pushes()).toMatchObject([
      { result: "refused", code: "WRITES_STOPPED", author: "ada", way: "http" },
    ]);
    const wrong = reportReads(site.a.context)({ reads: [{ ...read, what: "steal" }] } as never);
    await expect(wrong).rejects.toMatchObject({ code: "INVALID_REQUEST" });
  });

  it("has reads over ssh, and above the rate a sample that stands for all reads", async () => {
    const shell = ["--upload-pack", `${site.SHIM} lockstep-upload-pack`];
    const env = {
      LOCKSTEP_SOCKET_DIR: site.a.context.socketDir,
      USER: "ada",
      SSH_CONNECTION: "10.0.0.8 5000 10.0.0.1 22",
    };
    await site.sandbox.git(["ls-remote", ...shell, site.a.gitDir(site.APP)], { env });
    expect(await site.pulls()).toMatchObject([{ way: "ssh", address: "10.0.0.8", author: "ada", what: "read" }]);
    await Promise.all(Array.from({ length: 40 }, () => site.asks(site.a)));
    const rows = await site.pulls({ author: "frontend web" });
    expect(rows).toHaveLength(5);
    expect(rows.reduce((sum, { standsFor }) => sum + standsFor, 0)).toBe(40);
  });
});

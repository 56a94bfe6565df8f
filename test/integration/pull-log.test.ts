// The pull log, as a device notes it, writes it and lists it.
import { describe, expect, it } from "vitest";
import { reportReads } from "../../src/rpc/handlers/report-reads.ts";
import { writeEvents } from "../../src/sync/activity/keep-writing.ts";
import { APP, a, asks, b, pulls, pushes, SHIM, sandbox, startLoggingDevices } from "../support/event-log-site.ts";
import { change } from "../support/sync-device.ts";

startLoggingDevices();

describe("the pull log", () => {
  it("has who read, and that the read waited for a catch-up", async () => {
    const one = await a.commit(APP, "one");
    await a.push(APP, [change("main", null, one)]);
    const reader = { user: "ada", address: "10.0.0.7", requestId: "r" };
    await asks(b, { reader });
    await asks(b);
    await writeEvents(b.context);
    const rows = await pulls({ device: b.name });
    const read = { repository: APP, way: "frontend", what: "read", version: 1n, code: null, reason: null };
    expect(rows).toMatchObject([
      { ...read, result: "current", author: "frontend web", address: null, requestId: null, standsFor: 1 },
      { ...read, result: "caught_up", author: "ada", address: "10.0.0.7", requestId: "r", standsFor: 1 },
    ]);
    expect(rows[1]!.waitMs).toBeGreaterThan(0);
  });

  it("has stale reads, and refused ones with the code", async () => {
    await asks(a);
    await asks(a, { maxStaleness: { seconds: "3600", nanos: 0 } });
    await expect(asks(a, { repository: "no/such" })).rejects.toMatchObject({ code: "REPOSITORY_NOT_FOUND" });
    expect(await pulls()).toMatchObject([
      { result: "refused", code: "REPOSITORY_NOT_FOUND", repository: "no/such", version: null },
      { result: "stale" },
      { result: "current" },
    ]);
    expect(await pulls({ repository: "no/such" })).toHaveLength(1);
  });

  it("has no call of a front end that tells of its reads itself, and has what it tells", async () => {
    await asks(a, { reportsReads: true });
    const told = { repository: APP, reader: { user: "ada", address: "10.0.0.7", requestId: "r" }, what: "clone" };
    const took = { waited: { seconds: "0", nanos: 5_000_000 }, took: { seconds: "1", nanos: 0 } };
    const read = { ...told, ...took, version: "0", fetched: true, ago: null, code: "", reason: "", standsFor: 3 };
    await reportReads(a.context)({ reads: [read, { ...read, what: "push", code: "WRITES_STOPPED" }] } as never);
    expect(await pulls()).toMatchObject([
      { way: "http", what: "clone", result: "caught_up", author: "ada", waitMs: 5, durationMs: 1_000, standsFor: 3 },
    ]);
    expect(await pushes()).toMatchObject([{ result: "refused", code: "WRITES_STOPPED", author: "ada", way: "http" }]);
    const wrong = reportReads(a.context)({ reads: [{ ...read, what: "steal" }] } as never);
    await expect(wrong).rejects.toMatchObject({ code: "INVALID_REQUEST" });
  });

  it("has reads over ssh, and above the rate a sample that stands for all reads", async () => {
    const shell = ["--upload-pack", `${SHIM} lockstep-upload-pack`];
    const env = { LOCKSTEP_SOCKET_DIR: a.context.socketDir, USER: "ada", SSH_CONNECTION: "10.0.0.8 5000 10.0.0.1 22" };
    await sandbox.git(["ls-remote", ...shell, a.gitDir(APP)], { env });
    expect(await pulls()).toMatchObject([{ way: "ssh", address: "10.0.0.8", author: "ada", what: "read" }]);
    await Promise.all(Array.from({ length: 40 }, () => asks(a)));
    const rows = await pulls({ author: "frontend web" });
    expect(rows).toHaveLength(5);
    expect(rows.reduce((sum, { standsFor }) => sum + standsFor, 0)).toBe(40);
  });
});

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { describe, expect, it, vi } from "vitest";
import { administer } from "../support/administer.ts";
import {
  dir,
  killAndExpectNothingLeft,
  log,
  makePostgresFolder,
  pidFile,
  project,
  setting,
  start,
  startInChild,
  WAIT,
} from "../support/local-postgres.ts";

makePostgresFolder();

describe("startPostgres", () => {
  it("gives up when its signal aborts, and leaves nothing half made", async () => {
    const controller = new AbortController();
    const started = start(controller.signal);
    await vi.waitUntil(() => existsSync(join(dir, "postgres", "cluster.new", "data", "PG_VERSION")), WAIT);
    controller.abort(new Error("enough"));
    await expect(started).rejects.toThrow("enough");
    expect(existsSync(join(dir, "postgres", "cluster"))).toBe(false);
  });

  it("gives the server the settings of its caller", async () => {
    await using server = await start(undefined, ["max_connections=17"]);
    expect(await setting(server.url, "max_connections")).toBe("17");
  });

  it("starts a durable server on the loopback address that wants the password", async () => {
    await using server = await start();
    expect(server.url).toMatch(/^postgres:\/\/lockstep:[\w-]{32}@127\.0\.0\.1:\d+\/postgres$/);
    expect(await setting(server.url, "fsync")).toBe("on");
    expect(await setting(server.url, "server_encoding")).toBe("UTF8");
    expect(await setting(server.url, "listen_addresses")).toBe("127.0.0.1");
    expect(await setting(server.url, "unix_socket_directories")).toBe("");
    await expect(setting(server.url.replace(/:[\w-]{32}@/, ":wrong@"), "fsync")).rejects.toMatchObject({
      code: "28P01",
    });
    expect(() => process.kill(server.pid, 0)).not.toThrow();
  });

  it("keeps what was written, ends clients in the middle of a query, and is gone after its disposal", async () => {
    const first = await start();
    await administer(first.url, (client) => client.query("create table kept as select 1 as one"));
    const client = new pg.Client(first.url);
    client.on("error", () => {});
    await client.connect();
    const busy = expect(client.query("select pg_sleep(600)")).rejects.toThrow();
    await first[Symbol.asyncDispose]();
    await busy;
    await expect(setting(first.url, "fsync")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    expect(log()).toContain("database system is shut down");

    await using second = await start();
    const { rows } = await administer(second.url, (again) => again.query("select one from kept"));
    expect(rows).toEqual([{ one: 1 }]);
  });

  it("waits for an earlier server on the same folder to end", async () => {
    const first = await start();
    const second = start();
    await vi.waitFor(() => expect(log()).toContain("already exists"), WAIT);
    await first[Symbol.asyncDispose]();
    await using server = await second;
    expect(await setting(server.url, "fsync")).toBe("on");
  });

  it("quotes the server's log when it does not start", async () => {
    const conf = join(dir, "postgres", "cluster", "data", "postgresql.auto.conf");
    const before = readFileSync(conf);
    writeFileSync(conf, "no_such_setting = 1\n");
    try {
      await expect(start()).rejects.toMatchObject({
        code: "PREREQUISITE_MISSING",
        message: expect.stringContaining('unrecognized configuration parameter "no_such_setting"'),
      });
    } finally {
      writeFileSync(conf, before);
    }
  });
});

describe("a server whose parent is killed", () => {
  it("shuts down in order", async () => {
    const running = await startInChild(project);
    expect(existsSync(pidFile())).toBe(true);
    await killAndExpectNothingLeft(running);
    // Its last word comes after its last file has gone.
    await vi.waitFor(() => expect(log()).toContain("database system is shut down"), WAIT);
  });

  it("shuts down even when it is stopped", async () => {
    const running = await startInChild(project);
    process.kill(Number.parseInt(readFileSync(pidFile(), "utf8"), 10), "SIGSTOP");
    await killAndExpectNothingLeft(running);
  });
});

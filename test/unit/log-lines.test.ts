import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, expect, it, vi } from "vitest";
import { logLines } from "../../src/io/log-lines.ts";

const path = join(tmpdir(), `lockstep-log-${process.pid}`);
afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(path, { force: true });
});

it("a line for which the disk has no room is lost, and no other line", () => {
  const fd = fs.openSync(path, "w");
  const log = pino({ base: null, timestamp: false }, logLines(fd));
  log.info("before");
  vi.spyOn(fs, "writeSync").mockImplementationOnce(() => {
    throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  });
  log.info("lost");
  log.info("after");
  fs.closeSync(fd);
  const lines = fs.readFileSync(path, "utf8").trim().split("\n");
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(["before", "after"]);
});

it("a log on a full disk keeps nothing, and does not end the process", () => {
  const fd = fs.openSync("/dev/full", "w");
  const log = pino({}, logLines(fd));
  for (let count = 0; count < 1_000; count += 1) log.info("lost");
  fs.closeSync(fd);
});

it("a line holds no character that turns the direction of text, and a reader of JSON gets it nevertheless", () => {
  const fd = fs.openSync(path, "w");
  pino({}, logLines(fd)).info({ author: "admin\u202egnp.exe" }, "pushed");
  fs.closeSync(fd);
  const line = fs.readFileSync(path, "utf8");
  expect(line).toContain("admin\\u202egnp.exe");
  expect(JSON.parse(line).author).toBe("admin\u202egnp.exe");
});

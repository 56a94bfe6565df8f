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

it("a line that the disk has no room for is lost, and nothing else", () => {
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

it("a log that never has room keeps nothing and ends nothing", () => {
  const fd = fs.openSync("/dev/full", "w");
  const log = pino({}, logLines(fd));
  for (let count = 0; count < 1_000; count += 1) log.info("lost");
  fs.closeSync(fd);
});

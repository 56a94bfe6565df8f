import { chmodSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { prepareSocketDir } from "../../src/sidecar/socket-dir.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "socket-dir-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const warned: unknown[] = [];
const log = { warn: (fields: unknown) => void warned.push(fields) };

it("a directory for the sockets is made for its user only", async () => {
  const made = await prepareSocketDir(join(dir, "sockets"), log);
  expect(statSync(made).mode & 0o777).toBe(0o700);
});

it.each([0o750, 0o770])("a directory with the mode %o is used as it is", async (mode) => {
  chmodSync(dir, mode);
  expect(await prepareSocketDir(dir, log)).toBe(dir);
  expect(warned).toEqual([]);
});

it.each([0o777, 0o1777, 0o702])(
  "a directory with the mode %o is refused: others could replace the socket",
  async (mode) => {
    chmodSync(dir, mode);
    await expect(prepareSocketDir(dir, log)).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringMatching(
        /^Every user may put another socket into .*`chmod o-w .*`, or name a new directory/,
      ),
    });
  },
);

it("a mount that everybody may write is warned of: an emptyDir of Kubernetes has that mode", async () => {
  // /dev/shm is such a mount.
  expect(await prepareSocketDir("/dev/shm", log)).toBe("/dev/shm");
  expect(warned).toMatchObject([{ err: expect.stringContaining("/dev/shm") }]);
});

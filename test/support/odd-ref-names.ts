// Ref names of any bytes, in both ref formats.
import { mkdir, writeFile } from "node:fs/promises";
import { expect } from "vitest";
import { refPath } from "../../src/io/disk.ts";
import { verify } from "../../src/sync/operator/verify-replica.ts";
import { gitIsOlderThan } from "./programs.ts";
import { ref } from "./refs.ts";
import type { TestCluster } from "./sync-cluster.ts";
import { SOON, type TestDevice } from "./sync-device.ts";

export const APP = "team/app";
export const tooOld = gitIsOlderThan(2, 46);

/** How the first device stores its refs; the second one always has files. */
export const FORMATS = (["files", "reftable"] as const).filter((format) => format === "files" || !tooOld);

export const latin1 = (text: string) => Buffer.from(text).toString("latin1");
/** Names as git has them, one character a byte. */
export const NAMES = {
  "UTF-8": latin1("glück"),
  "not UTF-8": "caf\xe9",
  "half a character": "a\xe6\x97",
  "no character at all": "\x80\xff\xfe",
  "quoted by git": `it's"${latin1("ß")}`,
};

export async function pair(cluster: TestCluster, refFormat: "files" | "reftable"): Promise<[TestDevice, TestDevice]> {
  const devices: [TestDevice, TestDevice] = [
    await cluster.start("repo001", { refFormat }),
    await cluster.start("repo002"),
  ];
  await cluster.create(APP, devices);
  return devices;
}

/** Writes a ref into a bare repository of files as git does, whatever its name. */
export async function writeRef(gitDir: string, name: string, value: string): Promise<void> {
  const path = refPath(gitDir, ref(name));
  await mkdir(path.subarray(0, path.lastIndexOf("/")), { recursive: true });
  await writeFile(path, Buffer.from(`${value}\n`, "latin1"));
}

const check = (device: TestDevice) =>
  verify(device.context, APP, { full: false, signal: AbortSignal.timeout(SOON.timeout) });

export async function expectSame(devices: readonly TestDevice[], refs: Record<string, string>): Promise<void> {
  for (const device of devices) {
    await device.read(APP);
    expect(await device.refs(APP)).toEqual(refs);
    expect((await check(device)).differences).toEqual([]);
    await device.expectInLockstep(APP);
  }
}

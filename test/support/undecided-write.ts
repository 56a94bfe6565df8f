// What a push leaves in the database and in files when its sidecar is killed.
import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { expect } from "vitest";
import { differenceOf } from "../../src/digest.ts";
import type { RefUpdate } from "../../src/domain.ts";
import { landWrite, stageWrite } from "../../src/store/write/writes.ts";
import type { TestDevice } from "./sync-device.ts";

export const APP = "team/app";
/** What a push has done in the database when its sidecar is killed: staged it, and perhaps decided it. */
export async function writeRows(device: TestDevice, updates: readonly RefUpdate[], decided: boolean): Promise<string> {
  const { context } = device;
  const { id, applied } = device.replica(APP);
  const row = { writeId: randomUUID(), repositoryId: id, base: applied! };
  const staged = await stageWrite(context.db, context.me, {
    ...row,
    author: "ada",
    names: updates.map(({ name }) => name),
  });
  if (staged.outcome !== "staged") throw new Error(staged.outcome);
  const difference = differenceOf(staged.digestKey, updates);
  if (decided)
    expect(await landWrite(context.db, context.me, { ...row, difference, updates })).toMatchObject({
      outcome: "landed",
    });
  return row.writeId;
}
export const file = async (path: string, content: string | Buffer = "") => {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
};

import { beforeEach, expect, it, vi } from "vitest";
import { listAudit } from "../../src/store/registry/audit.ts";
import { Refusals } from "../../src/sync/registry/refusals.ts";
import { db, makeDatabaseOfFile } from "../support/file-database.ts";
import { soon } from "../support/soon.ts";

makeDatabaseOfFile();

let seen = 0n;
beforeEach(async () => {
  seen = (await listAudit(db, { after: 0n, since: 0, limit: 1, newest: true })).at(-1)?.id ?? 0n;
});
const rows = async () =>
  (await listAudit(db, { after: seen, since: 0, limit: 1_000, newest: false })).map(({ author, result, detail }) => {
    const { from, count } = JSON.parse(detail);
    return [author, from, result, count];
  });
const refusals = () =>
  new Refusals({ db, device: "repo001", metrics: { refused: () => {} }, log: { warn: () => {} } as never });
const refused = (who: string, from = "10.0.0.1", code = "UNAUTHENTICATED") => ({ who, from, code, why: "test" });

it("equal refusals make one row with their number, soon after the first", async () => {
  await using noted = refusals();
  for (let times = 0; times < 500; times += 1) noted.note(refused("device repo009"));
  noted.note(refused("device repo009", "10.0.0.1", "PERMISSION_DENIED"));
  noted.note(refused(""));
  await vi.waitFor(async () => expect(await rows()).toHaveLength(3), soon());
  expect(await rows()).toEqual([
    ["device repo009", "10.0.0.1", "UNAUTHENTICATED", 500],
    ["device repo009", "10.0.0.1", "PERMISSION_DENIED", 1],
    ["unknown", "10.0.0.1", "UNAUTHENTICATED", 1],
  ]);
});

it("those that come after a row are counted for the next one, also when the process ends", async () => {
  {
    await using noted = refusals();
    noted.note(refused("device a"));
    await vi.waitFor(async () => expect(await rows()).toHaveLength(1), soon());
    for (let times = 0; times < 7; times += 1) noted.note(refused("device a"));
  }
  expect((await rows()).map(([, , , count]) => count)).toEqual([1, 7]);
});

it("an attacker from ten thousand addresses makes some hundred rows", async () => {
  {
    await using noted = refusals();
    for (let address = 0; address < 10_000; address += 1)
      noted.note(refused("", `10.0.${address >> 8}.${address & 255}`));
  }
  const found = await rows();
  expect(found).toHaveLength(201);
  expect(found.at(-1)).toEqual(["unknown", "many addresses", "UNAUTHENTICATED", 9_800]);
});

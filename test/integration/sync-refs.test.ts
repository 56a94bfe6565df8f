import { openSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { toBytes } from "../../src/domain.ts";
import { syncRefs } from "../../src/io/disk.ts";
import { apply, CAFE, repository } from "../support/ref-sandbox.ts";
import { ref } from "../support/refs.ts";

vi.mock("node:fs", { spy: true });

describe("making refs durable", () => {
  it("syncs every directory above them, by the bytes of their names", async () => {
    await using repo = await repository();
    const { context, dir, one } = repo;
    const name = `${CAFE}/deep/er`;
    await apply(context, dir, new Map([[name, one]]));
    vi.mocked(openSync).mockClear();
    await syncRefs(dir, new Set([ref(name), ref("refs/heads/removed/with/its/directories")]));
    const { calls, results } = vi.mocked(openSync).mock;
    const opened = results.map(({ type }, index) => (type === "return" ? String(calls[index]![0]) : ""));
    const bytes = (name: string) => String(Buffer.concat([Buffer.from(`${dir}/`), toBytes(ref(name))]));
    expect(opened).toEqual(
      expect.arrayContaining([`${dir}/`, ...["refs", "refs/heads", CAFE, `${CAFE}/deep`].map(bytes)]),
    );
  });

  it("making many refs durable at once syncs the file system once", async () => {
    await using repo = await repository();
    const { context, dir, one } = repo;
    const names = Array.from({ length: 300 }, (_, index) => `refs/heads/${index}`);
    await apply(context, dir, new Map(names.map((name) => [name, one])));
    vi.mocked(openSync).mockClear();
    await syncRefs(dir, new Set(names.map(ref)));
    expect(openSync).not.toHaveBeenCalled();
    await expect(syncRefs(`${dir}/not-there`, new Set(names.map(ref)))).rejects.toMatchObject({
      code: "PREREQUISITE_MISSING",
    });
    expect(Object.keys(await repo.refs())).toEqual(expect.arrayContaining(names));
  });
});

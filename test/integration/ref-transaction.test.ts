import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { takeKilledWriter } from "../../src/git/hung/hung.ts";
import { readRefs } from "../../src/git/refs/refs.ts";
import { RefTransaction } from "../../src/git/transactions/ref-transaction.ts";
import { processesAt } from "../support/git.ts";
import { apply, CAFE, type Repository, repository, set } from "../support/ref-sandbox.ts";
import { update } from "../support/refs.ts";
import { SOON } from "../support/soon.ts";

describe("a ref transaction", () => {
  it.each(["sha1", "sha256"])("changes nothing until it commits, and then all (%s)", async (format) => {
    await using repo = await repository(format);
    const { context, dir, one, two } = repo;
    await apply(
      context,
      dir,
      new Map([
        ["refs/heads/main", one],
        ["refs/heads/gone", one],
      ]),
    );
    await using transaction = new RefTransaction(context, dir);
    const refusal = await transaction.prepare([
      update("refs/heads/main", one, two),
      update("refs/heads/gone", one, null),
      update(CAFE, null, one),
    ]);
    expect(refusal).toBeUndefined();
    expect(await repo.refs()).toEqual({ HEAD: "ref: refs/heads/main", "refs/heads/main": one, "refs/heads/gone": one });
    expect(await repo.locks()).toContain("refs/heads/main.lock");
    await transaction.commit();
    expect(await repo.refs()).toEqual({ HEAD: "ref: refs/heads/main", "refs/heads/main": two, [CAFE]: one });
    expect(await repo.locks()).toEqual([]);
  });

  it("keeps everybody else off its refs while it is prepared", async () => {
    await using repo = await repository();
    const { context, dir, one, two } = repo;
    await using transaction = new RefTransaction(context, dir);
    await transaction.prepare([set("refs/heads/main", one)]);
    const { code, stderr } = await repo.sandbox.run(["update-ref", "refs/heads/main", two], { cwd: dir });
    expect(code).not.toBe(0);
    expect(stderr).toContain("File exists");
    await transaction.commit();
    expect(await repo.refs()).toMatchObject({ "refs/heads/main": one });
  });

  it("refuses a ref whose lock no absolute path could name, and leaves nothing of it", async () => {
    await using repo = await repository();
    const { context, dir, one } = repo;
    const parts = (bytes: number) => "x".repeat(bytes).replace(/.{200}/g, `${"x".repeat(199)}/`);
    // The lock's path below the repository alone is shorter than the limit.
    const name = `refs/heads/${parts(4_085 - dir.length)}z`;
    for (const command of [update(name, one, null), update(name, null, one)]) {
      await using transaction = new RefTransaction(context, dir);
      expect((await transaction.prepare([command]))?.message).toContain("File name too long");
    }
    expect(await readdir(join(dir, "refs/heads"))).toEqual([]);
    expect(await repo.locks()).toEqual([]);
  });

  it("gives all locks back when it is disposed of", async () => {
    await using repo = await repository();
    const { context, dir, one } = repo;
    {
      await using transaction = new RefTransaction(context, dir);
      await transaction.prepare([set("refs/heads/main", one)]);
      expect(await repo.locks()).toContain("refs/heads/main.lock");
    }
    expect(await repo.locks()).toEqual([]);
    expect(await repo.refs()).toEqual({ HEAD: "ref: refs/heads/main" });
  });

  it("leaves no process if it was never used", async () => {
    await using repo = await repository();
    await using _ = new RefTransaction(repo.context, repo.dir);
  });

  it.each([
    ["has left locks to sweep if it had locked refs", true],
    ["has left nothing if it was asked for nothing", false],
  ])("whose git is killed %s", async (_, asked) => {
    await using repo = await repository();
    const { context, dir, one } = repo;
    {
      await using transaction = new RefTransaction(context, dir);
      if (asked) await transaction.prepare([set("refs/heads/main", one)]);
      const [git] = await vi.waitFor(async () => {
        const found = (await processesAt(dir)).filter((each) => each.includes("update-ref"));
        expect(found).toHaveLength(1);
        return found as [string];
      }, SOON);
      process.kill(Number(git.split(" ")[0]), "SIGKILL");
      await vi.waitFor(async () => expect(await processesAt(dir)).toEqual([]), SOON);
    }
    expect(takeKilledWriter(dir)).toBe(asked);
    expect((await repo.locks()).length > 0).toBe(asked);
  });

  it("takes thousands of refs", async () => {
    await using repo = await repository();
    const { context, dir, one } = repo;
    const commands = Array.from({ length: 5_000 }, (_, index) => set(`refs/tags/v${index}`, one));
    await using transaction = new RefTransaction(context, dir);
    expect(await transaction.prepare(commands)).toBeUndefined();
    await transaction.commit();
    expect((await readRefs(context, dir)).size).toBe(5_001);
  });

  it.each<[string, string, (repo: Repository) => { oldValue?: string | null; newValue: string | null }, RegExp]>([
    [
      "holds another value",
      "refs/heads/main",
      ({ two }) => ({ oldValue: two, newValue: two }),
      /is at .* but expected/,
    ],
    ["exists", "refs/heads/main", ({ two }) => ({ oldValue: null, newValue: two }), /reference already exists/],
    [
      "is missing",
      "refs/heads/absent",
      ({ one }) => ({ oldValue: one, newValue: null }),
      /unable to resolve reference/,
    ],
    ["is a directory of refs", "refs/heads/deep", ({ one }) => ({ newValue: one }), /exists; cannot create/],
    ["is below a ref", "refs/heads/main/x", ({ one }) => ({ newValue: one }), /exists; cannot create/],
    ["is not UTF-8 and below a ref", `${CAFE}/x`, ({ one }) => ({ newValue: one }), /exists; cannot create/],
    [
      "is UTF-8",
      Buffer.from("refs/heads/日本").toString("latin1"),
      ({ one }) => ({ oldValue: one, newValue: one }),
      /./,
    ],
    ["has a funny name", "refs/heads/a..b", ({ one }) => ({ newValue: one }), /invalid ref format/],
    ["would hold no commit", "refs/heads/blob", () => ({ newValue: "" }), /non-commit object/],
    ["would hold nothing", "refs/heads/void", () => ({ newValue: "12".repeat(20) }), /nonexistent object/],
  ])("says that a ref %s, and locks nothing", async (_, name, values, message) => {
    await using repo = await repository();
    const { context, dir, one } = repo;
    const before = new Map([
      ["refs/heads/main", one],
      ["refs/heads/deep/er", one],
      [CAFE, one],
    ]);
    await apply(context, dir, before);
    const wanted = values(repo);
    const blob = await repo.sandbox.git(["hash-object", "-w", "--stdin"], { cwd: dir, input: "blob" });
    const newValue = wanted.newValue === "" ? blob : wanted.newValue;
    await using transaction = new RefTransaction(context, dir);
    const refusal = await transaction.prepare([
      set("refs/heads/innocent", one),
      wanted.oldValue === undefined ? set(name, newValue) : update(name, wanted.oldValue, newValue),
    ]);
    expect(refusal).toMatchObject({ message: expect.stringMatching(message) });
    expect(await repo.locks()).toEqual([]);
    expect(await repo.refs()).toEqual({ HEAD: "ref: refs/heads/main", ...Object.fromEntries(before) });
  });

  it("says that somebody else has locked a ref", async () => {
    await using repo = await repository();
    const { context, dir, one } = repo;
    await mkdir(join(dir, "refs/heads/deep"));
    await writeFile(join(dir, "refs/heads/deep/x.lock"), "");
    await using transaction = new RefTransaction(context, dir);
    const refusal = await transaction.prepare([set("refs/heads/a", one), set("refs/heads/deep/x", one)]);
    expect(refusal).toMatchObject({ message: expect.stringContaining("File exists") });
    expect(await repo.locks()).toEqual(["refs/heads/deep/x.lock"]);
  });

  it("fails to commit when git is killed, with git's end for a reason", async () => {
    await using repo = await repository();
    const { context, dir, one } = repo;
    await using transaction = new RefTransaction(context, dir);
    await transaction.prepare([set("refs/heads/main", one)]);
    const [line] = await processesAt(dir);
    process.kill(Number(line!.split(" ")[0]), "SIGKILL");
    await expect(transaction.commit()).rejects.toMatchObject({
      code: "GIT_FAILED",
      message: expect.stringContaining("ended with a signal"),
    });
    expect(await repo.refs()).toEqual({ HEAD: "ref: refs/heads/main" });
  });

  it("fails with what git said when git cannot even begin", async () => {
    await using repo = await repository();
    await using transaction = new RefTransaction(repo.context, join(repo.dir, "objects"));
    await expect(transaction.prepare([set("refs/heads/x", repo.one)])).resolves.toMatchObject({
      message: expect.stringContaining("not a git repository"),
    });
  });
});

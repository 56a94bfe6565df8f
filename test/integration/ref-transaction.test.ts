import { mkdir, open, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { toBytes } from "../../src/domain.ts";
import type { GitContext } from "../../src/git/process.ts";
import { type RefCommand, RefTransaction } from "../../src/git/refs/ref-transaction.ts";
import { applyRefs, difference, readRefs } from "../../src/git/refs/refs.ts";
import { readHead } from "../../src/git/refs/symbolic-refs.ts";
import { syncRefs } from "../../src/io/disk.ts";
import { type GitSandbox, gitSandbox, processesAt } from "../support/git.ts";
import { planFrom, ref, refsFrom, textOf, update } from "../support/refs.ts";

vi.mock("node:fs/promises", { spy: true });

const CAFE = "refs/heads/caf\xe9";

/** Whatever the ref holds now. */
function set(name: string, newValue: string | null): RefCommand {
  return { ...update(name, null, newValue), oldValue: undefined };
}

async function apply(context: GitContext, dir: string, plan: ReadonlyMap<string, string | null>): Promise<void> {
  await applyRefs(context, dir, planFrom(plan));
}

interface Repository extends AsyncDisposable {
  readonly context: GitContext;
  readonly dir: string;
  readonly sandbox: GitSandbox;
  readonly one: string;
  readonly two: string;
  refs(): Promise<Record<string, string>>;
  locks(): Promise<string[]>;
}

async function repository(format = "sha1"): Promise<Repository> {
  const sandbox = await gitSandbox();
  const dir = join(sandbox.dir, 'ü:"x.git');
  await sandbox.git(["init", "--quiet", "--bare", "--initial-branch=main", `--object-format=${format}`, dir]);
  const context = { path: sandbox.env.PATH!, home: sandbox.dir, lockFd: null };
  const tree = await sandbox.git(["mktree"], { cwd: dir });
  const commit = (...args: string[]) => sandbox.git(["commit-tree", tree, ...args], { cwd: dir });
  const one = await commit("-m", "one");
  const two = await commit("-m", "two", "-p", one);
  return {
    context,
    dir,
    sandbox,
    one,
    two,
    refs: async () => textOf(await readRefs(context, dir)),
    locks: async () => (await readdir(dir, { recursive: true })).filter((name) => name.endsWith(".lock")).sort(),
    async [Symbol.asyncDispose]() {
      await vi.waitFor(async () => expect(await processesAt(sandbox.dir)).toEqual([]), { timeout: 30_000 });
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

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

describe("applying a plan", () => {
  it("brings any refs to any others, and can be done twice", async () => {
    await using repo = await repository();
    const { context, dir, one, two } = repo;
    const states: Record<string, string>[] = [
      { HEAD: "ref: refs/heads/main" },
      { HEAD: "ref: refs/heads/main", "refs/heads/x": one, "refs/heads/y/z": one, [CAFE]: two },
      { HEAD: "ref: refs/heads/x/y", "refs/heads/x/y": one, "refs/heads/y": two, [`${CAFE}/below`]: two },
      { HEAD: "ref: refs/heads/x/y", "refs/heads/x/y/z": two, "refs/heads/y/z/w": two, "refs/tags/t": one },
      { HEAD: "ref: refs/heads/none", "refs/heads/x": two, "refs/heads/y/z": one },
    ];
    for (const from of states) {
      for (const to of states) {
        await applyRefs(context, dir, difference(await readRefs(context, dir), refsFrom(from)));
        expect(await repo.refs()).toEqual(from);
        const plan = difference(await readRefs(context, dir), refsFrom(to));
        await applyRefs(context, dir, plan);
        await applyRefs(context, dir, plan);
        expect(await repo.refs()).toEqual(to);
      }
    }
  });

  it("deletes what is packed, and what is not there", async () => {
    await using repo = await repository();
    const { context, dir, one } = repo;
    await apply(
      context,
      dir,
      new Map([
        ["refs/heads/packed", one],
        ["refs/heads/other", one],
      ]),
    );
    await repo.sandbox.git(["pack-refs", "--all"], { cwd: dir });
    await apply(
      context,
      dir,
      new Map([
        ["refs/heads/packed", null],
        ["refs/heads/never", null],
      ]),
    );
    expect(await repo.refs()).toEqual({ HEAD: "ref: refs/heads/main", "refs/heads/other": one });
  });

  it("throws what git said when objects are missing, and changes nothing", async () => {
    await using repo = await repository();
    const { context, dir, one } = repo;
    const plan = new Map([
      ["refs/heads/good", one],
      ["refs/heads/void", "12".repeat(20)],
    ]);
    await expect(apply(context, dir, plan)).rejects.toMatchObject({
      code: "GIT_FAILED",
      message: expect.stringContaining("nonexistent object"),
    });
    expect(await repo.refs()).toEqual({ HEAD: "ref: refs/heads/main" });
  });
});

describe("reading refs", () => {
  it("leaves out those of Lockstep, and reads symbolic ones as such", async () => {
    await using repo = await repository();
    const { context, dir, one } = repo;
    await apply(
      context,
      dir,
      new Map([
        ["refs/heads/main", one],
        ["refs/lockstep/lost/1", one],
        ["refs/lockstepper", one],
      ]),
    );
    await repo.sandbox.git(["symbolic-ref", "refs/remotes/origin/HEAD", "refs/heads/main"], { cwd: dir });
    expect(await repo.refs()).toEqual({
      HEAD: "ref: refs/heads/main",
      "refs/heads/main": one,
      "refs/lockstepper": one,
      "refs/remotes/origin/HEAD": "ref: refs/heads/main",
    });
  });

  it("reads a HEAD that is detached or holds a name in UTF-8", async () => {
    await using repo = await repository();
    const { context, dir, one } = repo;
    await repo.sandbox.git(["symbolic-ref", "HEAD", "refs/heads/日本"], { cwd: dir });
    expect(await readHead(context, dir)).toBe(`ref: ${Buffer.from("refs/heads/日本").toString("latin1")}`);
    await repo.sandbox.git(["update-ref", "--no-deref", "HEAD", one], { cwd: dir });
    expect(await readHead(context, dir)).toBe(one);
  });
});

describe("making refs durable", () => {
  it("syncs every directory above them, by the bytes of their names", async () => {
    await using repo = await repository();
    const { context, dir, one } = repo;
    const name = `${CAFE}/deep/er`;
    await apply(context, dir, new Map([[name, one]]));
    vi.mocked(open).mockClear();
    await syncRefs(dir, new Set([ref(name), ref("refs/heads/removed/with/its/directories")]));
    const opened = vi
      .mocked(open)
      .mock.settledResults.map(({ type }, index) =>
        type === "fulfilled" ? String(vi.mocked(open).mock.calls[index]![0]) : "",
      );
    const bytes = (name: string) => String(Buffer.concat([Buffer.from(`${dir}/`), toBytes(ref(name))]));
    expect(opened).toEqual(
      expect.arrayContaining([`${dir}/`, ...["refs", "refs/heads", CAFE, `${CAFE}/deep`].map(bytes)]),
    );
  });

  it("of many refs at once syncs the file system, once", async () => {
    await using repo = await repository();
    const { context, dir, one } = repo;
    const names = Array.from({ length: 300 }, (_, index) => `refs/heads/${index}`);
    await apply(context, dir, new Map(names.map((name) => [name, one])));
    vi.mocked(open).mockClear();
    await syncRefs(dir, new Set(names.map(ref)));
    expect(open).not.toHaveBeenCalled();
    await expect(syncRefs(`${dir}/not-there`, new Set(names.map(ref)))).rejects.toMatchObject({
      code: "PREREQUISITE_MISSING",
    });
    expect(Object.keys(await repo.refs())).toEqual(expect.arrayContaining(names));
  });
});

// The tables of a reftable are read whole, or reading them is an error.
import { execFile, execFileSync } from "node:child_process";
import { open, readdir, readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { toLatin1 } from "../../src/domain.ts";
import { readSymbolicRecords } from "../../src/git/refs/reftable.ts";
import { gitSandbox } from "../support/git.ts";
import { gitIsOlderThan } from "../support/programs.ts";

const tooOld = gitIsOlderThan(2, 46);
if (tooOld) console.warn(`The tests of symbolic refs in reftable are skipped: ${tooOld}.`);

/** Runs git in a directory, one command after another. */
async function gits(directory: string, ...commands: readonly string[]): Promise<void> {
  const env = { ...process.env, GIT_DIR: directory, GIT_CONFIG_GLOBAL: "/dev/null" };
  for (const command of commands) await promisify(execFile)("git", command.split(" "), { env });
}

describe.skipIf(tooOld)("the tables of a reftable", () => {
  const text = async (directory: string) =>
    Object.fromEntries(
      [...(await readSymbolicRecords(directory))].map(([name, value]) => [toLatin1(name), toLatin1(value)]),
    );

  it.each(["sha1", "sha256"] as const)(
    "are read whole: many blocks, tables, and what later ones take back (%s)",
    async (format) => {
      await using sandbox = await gitSandbox();
      const git = join(sandbox.dir, "x.git");
      execFileSync("git", ["init", "--quiet", "--bare", `--object-format=${format}`, "--ref-format=reftable", git]);
      const updateRef = (input: string) =>
        execFileSync("git", ["--git-dir", git, "update-ref", "--no-deref", "--stdin", "-z"], {
          input: Buffer.from(input, "latin1"),
        });
      const tree = execFileSync("git", ["--git-dir", git, "mktree"], { input: "" }).toString().trim();
      const tag = execFileSync("git", ["--git-dir", git, "mktag"], {
        input: `object ${tree}\ntype tree\ntag t\ntagger a <a@b> 1 +0000\n\nt\n`,
      })
        .toString()
        .trim();
      expect(await text(git)).toEqual({ HEAD: expect.stringMatching(/^ref: refs\/heads\//) });
      const many = Array.from({ length: 5_000 }, (_, at) => at);
      updateRef(many.map((at) => `create refs/tags/of-many/${at}\0${at % 3 ? tree : tag}\0`).join(""));
      const symbolic: Record<string, string> = {};
      for (const at of many.filter((each) => each % 500 === 0))
        symbolic[`refs/heads/caf\xe9/${at}`] = `refs/heads/${"x".repeat(at / 50 + 1)}`;
      const create = (from: Record<string, string>) =>
        updateRef(
          Object.entries(from)
            .map(([name, target]) => `symref-create ${name}\0${target}\0`)
            .join(""),
        );
      create({ ...symbolic, "refs/heads/gone": "refs/heads/x", "refs/heads/plain": "refs/heads/y" });
      updateRef(`delete refs/heads/gone\0\0update refs/tags/x\0${tree}\0\0`);
      updateRef(`update refs/heads/plain\0${tree}\0\0`.replace("refs/heads/plain", "refs/tags/plain"));
      const expected = () => ({
        HEAD: expect.any(String),
        "refs/heads/plain": "ref: refs/heads/y",
        ...Object.fromEntries(Object.entries(symbolic).map(([name, target]) => [name, `ref: ${target}`])),
      });
      expect(await text(git)).toEqual(expected());
      const tables = (await readFile(join(git, "reftable", "tables.list"), "utf8")).split("\n").filter(Boolean);
      execFileSync("git", ["--git-dir", git, "pack-refs", "--all"]);
      expect(await text(git)).toEqual(expected());
      expect(
        (await readFile(join(git, "reftable", "tables.list"), "utf8")).split("\n").filter(Boolean).length,
      ).toBeLessThanOrEqual(tables.length);
    },
  );

  it("the tables of a reftable that are damaged are an error, never fewer refs", async () => {
    await using sandbox = await gitSandbox();
    const git = join(sandbox.dir, "x.git");
    execFileSync("git", ["init", "--quiet", "--bare", "--ref-format=reftable", git]);
    await gits(git, "symbolic-ref refs/heads/a refs/heads/b");
    const [first] = (await readdir(join(git, "reftable"))).filter((name) => name.endsWith(".ref"));
    const table = join(git, "reftable", first!);
    const bytes = await readFile(table);
    for (const at of [0, 4, 26]) {
      const file = await open(table, "r+");
      await file.write(Buffer.from([0xff]), 0, 1, at);
      await file.close();
      await expect(readSymbolicRecords(git)).rejects.toMatchObject({ code: "GIT_FAILED" });
      await open(table, "w").then(async (whole) => {
        await whole.writeFile(bytes);
        await whole.close();
      });
    }
    await truncate(table, 30);
    await expect(readSymbolicRecords(git)).rejects.toMatchObject({ code: "GIT_FAILED" });
  });
});

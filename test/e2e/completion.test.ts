// The scripts of `lockstep completion`, in the real shells.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROGRAM } from "../support/cluster-device.ts";
import { runHere } from "../support/command-line.ts";
import { findProgram } from "../support/programs.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
let dir: string;
const script = (shell: string) => join(dir, `completion.${shell}`);

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "lockstep-completion-"));
  for (const shell of SHELLS) {
    const { stdout, status } = spawnSync(process.execPath, [PROGRAM, "completion", shell], { encoding: "utf8" });
    expect(status).toBe(0);
    writeFileSync(script(shell), stdout);
  }
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function run(command: string, args: readonly string[]): string {
  const env = { PATH: process.env.PATH ?? "", HOME: dir, LC_ALL: "C.UTF-8", TERM: "dumb" };
  const { stdout, stderr, status } = spawnSync(command, [...args], {
    encoding: "utf8",
    cwd: dir,
    env,
    timeout: 30_000,
  });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  return stdout;
}

/** Asks the function of the script, as the shell does when somebody presses the tab key. */
const ASK = {
  bash: (words: readonly string[]) =>
    run("bash", [
      ...["--norc", "-c"],
      `source '${script("bash")}'; COMP_WORDS=(lockstep "$@"); COMP_CWORD=$#; _lockstep; printf '%s\\n' "\${COMPREPLY[@]}"`,
      ...["bash", ...words],
    ]),
  // Two functions of zsh's own, which need a terminal, print instead what they are given.
  zsh: (words: readonly string[]) =>
    run("zsh", [
      ...["-f", "-c"],
      `compdef() { :; }; _files() { :; }
       _describe() { local list="\${@[-1]}"; print -l -- \${(M)\${(P)list}:#$PREFIX*}; }
       source '${script("zsh")}'; words=(lockstep "$@"); CURRENT=$#words; PREFIX="\${@[-1]}"; _lockstep`,
      ...["zsh", ...words],
    ]).replaceAll(/:.*$/gm, ""),
  fish: (words: readonly string[]) =>
    run("fish", [
      "--no-config",
      "-c",
      `source '${script("fish")}'; complete -C "lockstep ${words.join(" ")}"`,
    ]).replaceAll(/\t.*$/gm, ""),
};

describe.each(SHELLS)("%s", (shell) => {
  const program = findProgram(shell, shell);
  if ("missing" in program) console.warn(`The completion of ${shell} is not tried: ${program.missing}.`);
  const asked = (...words: string[]) => ASK[shell](words).split("\n").filter(Boolean).sort();

  it.skipIf("missing" in program)("completes commands, their subcommands, and flags of each", () => {
    expect(asked("wr")).toEqual(["write-lock"]);
    expect(asked("repo", "re")).toEqual(["remove", "rename", "restore"]);
    expect(asked("repo", "create", "--dev")).toEqual(["--devices"]);
    expect(asked("log", "--pu")).toEqual(["--pulls", "--pushes"]);
    expect(asked("status", "--js")).toEqual(["--json"]);
    expect(asked("repo", "--json", "li")).toEqual(["list"]);
    expect(asked("")).toEqual(expect.arrayContaining(["completion", "repo", "serve"]));
    // The commands of another command are none here.
    expect(asked("device", "cre")).toEqual([]);
  });
});

it("a shell that is not known is refused, and the versions are printed by -V and --version", async () => {
  const refused = await runHere(["completion", "powershell"]);
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused.stderr).toContain("bash, zsh, fish");
  for (const flag of ["-V", "--version"])
    expect(await runHere([flag])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^lockstep \d+\.\d+\.\d+\n$/),
    });
});

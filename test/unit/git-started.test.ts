import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const SRC = join(import.meta.dirname, "../../src");
const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.startsWith("generated"))
  .map((file) => [file, readFileSync(join(SRC, file), "utf8")] as const);

/** The files that start git. Each takes arguments and environment from the builder and adds nothing. */
const RUNNERS = [
  "demo/show.ts",
  "doctor/hooks.ts",
  "git/process.ts",
  "git/version.ts",
  "shim/git-session.ts",
  "shim/proc-receive.ts",
  "smart-http/git-child.ts",
];

/** The other files that start a program, each with the first words of every start. */
const OTHER_PROGRAMS: Record<string, RegExp> = {
  "cli/commands/shell.ts": /^(host(: Host)?, )?program[,:]/,
  "cli/parts/leased-command.ts": /^program, args/,
  "demo/cluster.ts": /^program, args/,
  "demo/postgres-binaries.ts": /^/,
  "demo/postgres-home.ts": /^"\/bin\/sh"/,
  "demo/tether.ts": /^"\/bin\/sh"/,
  "doctor/programs.ts": /^execPath/,
  "doctor/ssh.ts": /^"ssh"/,
  "git/hung/process-tree.ts": /^"sh"/,
  "git/root/root-lock.ts": /^program, \[\.\.\.args, "3"\]/,
  "io/disk.ts": /^"sync"/,
  // Its only parameters are those words.
  "io/processes/start-process.ts": /^program(: string)?, args/,
  "shim/guard.ts": /^"sh"/,
  "shim/hook.ts": /^program, args/,
  "shim/pre-receive.ts": /^hook, args/,
  "cli/commands/ssh-connect.ts": /^"ssh"/,
  "ssh/connection.ts": /^"ssh"/,
  "ssh/key-files.ts": /^"ssh-keygen"/,
};

/** A type names no program. */
const IMPORTS_CHILDREN = /^import (?!type)[^;]*from "(node:child_process|[^"]*\/start-process\.ts)"/m;
const NAMES_GIT = /["'`]git["'`]\s*[,)]|\bsimpleGit\(|["'`]git (?!version )[a-z]+(-[a-z]+)*\b[^"'`]*["'`]\s*,\s*\{/;

describe("a program that starts git", () => {
  it("is in the list of runners, and takes its command from the builder", () => {
    const starting = files.filter(
      ([file, text]) => NAMES_GIT.test(text) && (file === "git/version.ts" || IMPORTS_CHILDREN.test(text)),
    );
    expect(starting.map(([file]) => file).sort()).toEqual(RUNNERS);
    for (const [file, text] of starting) {
      expect([file, /command\/build\.ts"/.test(text)]).toEqual([file, true]);
      // No environment but the builder's.
      const environments = [...text.matchAll(/\benv(?:: ([^,}\n]+))?[,\s}]|\.env\(([^)]*)\)/g)].map(([found]) =>
        found.trim(),
      );
      expect([file, environments.filter((each) => /process|\.\.\.(host\.)?env/.test(each))]).toEqual([file, []]);
    }
  });

  it("is the only one beside those that start other programs, which are listed", () => {
    const starting = files.filter(([, text]) => IMPORTS_CHILDREN.test(text)).map(([file]) => file);
    const known = [...RUNNERS.filter((file) => file !== "git/version.ts"), ...Object.keys(OTHER_PROGRAMS)];
    expect(starting.sort()).toEqual(known.sort());
    for (const [file, text] of files) {
      const program = OTHER_PROGRAMS[file];
      if (program === undefined) continue;
      const starts = [...text.matchAll(/(?:\bspawn|\bspawnSync|\bstartProcess|\bexecFile\)?|\brun)\(([^\n]*)/g)].map(
        ([, words]) => words,
      );
      for (const words of starts) expect([file, words]).toEqual([file, expect.stringMatching(program)]);
    }
  });

  it.each([
    'spawn("git", ["gc"], { env: process.env })',
    "execFile('git', args)",
    "const all = await simpleGit(path).raw(args)",
    "execSync(`git gc --quiet`, { env })",
  ])("would be seen if it were %s", (text) => expect(NAMES_GIT.test(text)).toBe(true));

  it("has no variable of git's from any other place", () => {
    const NAMES = /\bGIT_(?!HUNG\b|FAILED\b|DIED\b|COMMAND\b)[A-Z_]+\b/g;
    const named = files
      .filter(([file]) => !file.startsWith("git/command/"))
      .flatMap(([file, text]) =>
        [...new Set(text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, "").match(NAMES) ?? [])].map((name) => `${file}: ${name}`),
      );
    expect(named.sort()).toEqual([
      // git starts ssh-connect, and ssh passes on the version of git's protocol.
      "cli/commands/ssh-connect.ts: GIT_PROTOCOL",
      "cli/commands/ssh-connect.ts: GIT_SSH_COMMAND",
      "cli/parts/leased-command.ts: GIT_DIR",
      "demo/show.ts: GIT_AUTHOR_EMAIL",
      "demo/show.ts: GIT_AUTHOR_NAME",
      "demo/show.ts: GIT_COMMITTER_EMAIL",
      "demo/show.ts: GIT_COMMITTER_NAME",
      "demo/show.ts: GIT_CONFIG_NOSYSTEM",
      "doctor/hooks.ts: GIT_CONFIG",
      "doctor/hooks.ts: GIT_DIR",
      "domain.ts: GIT_COMMITTER_EMAIL",
      "domain.ts: GIT_COMMITTER_NAME",
      "git-port/ssh-greeting.ts: GIT_PROTOCOL",
      // The values of ObjectPlace, which the builder takes.
      "git/objects/quarantine.ts: GIT_ALTERNATE_OBJECT_DIRECTORIES",
      "git/objects/quarantine.ts: GIT_OBJECT_DIRECTORY",
      "git/packs/pack-view.ts: GIT_OBJECT_DIRECTORY",
      // These read an environment, and set nothing.
      "git/receive-policy.ts: GIT_CONFIG_GLOBAL",
      "git/receive-policy.ts: GIT_CONFIG_SYSTEM",
      "git/refs/packing.ts: GIT_DIR",
      "hook/author.ts: GIT_NAMESPACE",
      "hook/receive-push.ts: GIT_NAMESPACE",
      "shim/settings-stamp.ts: GIT_CONFIG",
      "shim/sidecar.ts: GIT_NAMESPACE",
      "shim/sidecar.ts: GIT_PROTOCOL",
      // ssh-connect refuses beside the first and the last.
      "ssh/request.ts: GIT_ASKPASS",
      "ssh/request.ts: GIT_PROTOCOL",
      "ssh/request.ts: GIT_SSH",
    ]);
  });
});

// Bare repositories of plain git, as they lie on a disk before Lockstep knows of them.
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { promisify } from "node:util";

const PERSON = {
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.com",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.com",
};
const DATE = "2026-01-01T00:00:00Z";

/** Runs git in a bare repository as a person does. Returns its trimmed output. */
export async function plainGit(path: string, args: readonly string[], input = ""): Promise<string> {
  const env = { PATH: process.env.PATH, HOME: path, GIT_CONFIG_NOSYSTEM: "1", ...PERSON };
  const running = promisify(execFile)("git", [...args], {
    cwd: path,
    // Equal commits get equal ids.
    env: { ...env, GIT_AUTHOR_DATE: DATE, GIT_COMMITTER_DATE: DATE, GIT_DIR: path, LC_ALL: "C" },
    maxBuffer: 1 << 28,
  });
  running.child.stdin?.on("error", () => {}).end(input);
  return (await running).stdout.trim();
}

/** Makes a commit with one file and returns its id. */
export async function plainCommit(path: string, message: string, parents: readonly string[] = []): Promise<string> {
  const blob = await plainGit(path, ["hash-object", "-w", "--stdin"], `${message}\n`);
  const tree = await plainGit(path, ["mktree"], `100644 blob ${blob}\tfile\n`);
  return await plainGit(path, ["commit-tree", tree, "-m", message, ...parents.flatMap((each) => ["-p", each])]);
}

/** Makes a bare repository at `path` with commits on the named branches, each of one commit. Returns their ids. */
export async function plainRepository(
  path: string,
  branches: readonly string[] = ["main"],
  options: readonly string[] = [],
): Promise<Record<string, string>> {
  await mkdir(path, { recursive: true });
  await plainGit(path, ["init", "--quiet", "--bare", "--initial-branch=main", ...options, "."]);
  const ids: Record<string, string> = {};
  for (const branch of branches) {
    ids[branch] = await plainCommit(path, branch);
    await plainGit(path, ["update-ref", `refs/heads/${branch}`, ids[branch]]);
  }
  return ids;
}

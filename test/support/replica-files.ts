// The replicas on a disk, as a person with git sees them who asks no sidecar.
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readRefs } from "../../src/git/refs/refs.ts";
import { textOf } from "./refs.ts";

/** The environment of a person who uses git. */
export const PERSON = {
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.com",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.com",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
};

/** The replicas below the root of a device. */
export abstract class ReplicaFiles {
  abstract readonly root: string;
  /** The home directory of the person. */
  abstract readonly home: string;

  gitDir(repository: string): string {
    return join(this.root, `${repository}.git`);
  }

  /** Runs git on the replica as a person does, not through the sidecar. Returns its trimmed output. */
  async git(repository: string, args: readonly string[], input: string | Buffer = ""): Promise<string> {
    return await new Promise((resolve, reject) => {
      const env = { ...process.env, ...PERSON, GIT_DIR: this.gitDir(repository), LC_ALL: "C" };
      const child = execFile(
        "git",
        [...args],
        { env, encoding: "latin1", maxBuffer: 1 << 28 },
        (error, stdout, stderr) => (error ? reject(new Error(`${error.message}${stderr}`)) : resolve(stdout.trimEnd())),
      );
      child.stdin?.on("error", () => {}).end(input);
    });
  }

  /** Puts a commit into the replica's objects, as an upload does, and returns its id. */
  async commit(
    repository: string,
    message: string,
    options: { parents?: readonly string[]; content?: string | Buffer } = {},
  ): Promise<string> {
    const blob = await this.git(repository, ["hash-object", "-w", "--stdin"], options.content ?? `${message}\n`);
    const tree = await this.git(repository, ["mktree"], `100644 blob ${blob}\tfile\n`);
    const parents = (options.parents ?? []).flatMap((parent) => ["-p", parent]);
    return await this.git(repository, ["commit-tree", tree, "-m", message, ...parents]);
  }

  /** Makes three commits, each on the one before. Returns their ids. */
  async history(repository: string): Promise<[string, string, string]> {
    const one = await this.commit(repository, "one");
    const two = await this.commit(repository, "two", { parents: [one] });
    return [one, two, await this.commit(repository, "three", { parents: [two] })];
  }

  /** Returns whether git finds an object in the replica. */
  async has(repository: string, id: string): Promise<boolean> {
    return await this.git(repository, ["cat-file", "-e", id]).then(
      () => true,
      () => false,
    );
  }

  /** Returns the refs on disk and HEAD, as latin1. */
  async refs(repository: string): Promise<Record<string, string>> {
    const plain = { path: process.env.PATH ?? "", home: this.home, lockFd: null };
    return textOf(await readRefs(plain, this.gitDir(repository)));
  }

  /** Returns the locks and quarantines in the replica. */
  async leftovers(repository: string): Promise<string[]> {
    const entries = await readdir(this.gitDir(repository), { recursive: true, encoding: "latin1" });
    return entries.filter((name) => /\.lock$|tmp_objdir/.test(name)).sort();
  }
}

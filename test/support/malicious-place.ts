// A directory with a repository whose config or hooks name a program.
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { GitContext } from "../../src/git/process.ts";
import { type GitSandbox, gitSandbox } from "./git.ts";

/** A repository with three commits, the last with a signature, and a program that notes each of its starts. */
export class Place implements AsyncDisposable {
  readonly dir: string;
  readonly gitDir: string;
  readonly evil: string;
  readonly context: GitContext;
  commits: string[] = [];
  readonly #sandbox: GitSandbox;

  private constructor(sandbox: GitSandbox) {
    this.#sandbox = sandbox;
    this.dir = sandbox.dir;
    this.gitDir = join(sandbox.dir, "app.git");
    this.evil = join(sandbox.dir, "evil");
    this.context = { path: process.env.PATH ?? "", home: sandbox.dir, lockFd: null };
  }

  static async make(): Promise<Place> {
    const place = new Place(await gitSandbox());
    await writeFile(place.evil, `#!/bin/sh\necho "$0 $*" >>${place.dir}/ran\nexit 1\n`, { mode: 0o755 });
    const tree = await place.#sandbox.workTree("work");
    const one = await place.#sandbox.commit(tree, "one", { a: "1" });
    const two = await place.#sandbox.commit(tree, "two", { a: "2" });
    const body = (await place.#sandbox.git(["cat-file", "commit", two], { cwd: tree })).replace(
      "\n\n",
      "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\n",
    );
    const signed = await place.#sandbox.git(["hash-object", "-t", "commit", "-w", "--stdin"], {
      cwd: tree,
      input: body,
    });
    place.commits = [one, two, signed];
    await place.#sandbox.git(["update-ref", "refs/heads/main", signed], { cwd: tree });
    await place.#sandbox.git(["clone", "--quiet", "--bare", tree, place.gitDir]);
    await writeFile(join(place.gitDir, "config"), "[core]\n\trepositoryformatversion = 1\n\tbare = true\n");
    return place;
  }

  async git(args: readonly string[], options: { cwd?: string; input?: string } = {}): Promise<{ stderr: string }> {
    return await this.#sandbox.run(args, { cwd: this.gitDir, ...options });
  }

  /** Returns which programs have run since the last call. */
  async ran(): Promise<string> {
    const said = await readFile(join(this.dir, "ran"), "utf8").catch(() => "");
    await rm(join(this.dir, "ran"), { force: true });
    return said;
  }

  async configure(text: string): Promise<void> {
    await writeFile(join(this.gitDir, "config"), text.replaceAll("EVIL", this.evil), { flag: "a" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sandbox[Symbol.asyncDispose]();
  }
}

// Makes commits without git: three small loose objects each, in an object directory that all pushers share as an
// alternate. A process of git for each commit would often cost more than the rest of an operation.
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateSync } from "node:zlib";

export class Commits {
  /** An object directory. */
  readonly directory: string;
  #made = 0;
  readonly #contents = new Map<string, readonly string[]>();

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Makes a new commit with a file of its own and returns its id. */
  async make(parent: string | null, by: string): Promise<string> {
    this.#made += 1;
    const blob = await this.#write("blob", Buffer.from(`${by} ${this.#made}\n`));
    const tree = await this.#write("tree", Buffer.concat([Buffer.from("100644 file\0"), Buffer.from(blob, "hex")]));
    const person = `Ada <ada@example.com> ${1_700_000_000 + this.#made} +0000`;
    const lines = [
      `tree ${tree}`,
      ...(parent === null ? [] : [`parent ${parent}`]),
      `author ${person}`,
      `committer ${person}`,
      "",
      `${by} ${this.#made}`,
      "",
    ];
    const commit = await this.#write("commit", Buffer.from(lines.join("\n")));
    this.#contents.set(commit, [tree, blob]);
    return commit;
  }

  /** Returns the objects that only this commit needs. */
  contentsOf(commit: string): readonly string[] {
    return this.#contents.get(commit) ?? [];
  }

  async #write(type: string, content: Buffer): Promise<string> {
    const object = Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content]);
    const id = createHash("sha1").update(object).digest("hex");
    const folder = join(this.directory, id.slice(0, 2));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, id.slice(2)), deflateSync(object));
    return id;
  }
}

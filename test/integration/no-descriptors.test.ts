// A sidecar that has no free file descriptor knows nothing about files and processes, and takes that for no answer.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const DIST = join(import.meta.dirname, "..", "..", "dist");

/** Uses up the descriptors of its process, and asks each question. Prints the answers, or the codes of errors. */
const ASKER = `
  import { openSync } from "node:fs";
  const [dist, dir] = process.argv.slice(1);
  const { isUntouched } = await import(dist + "/git/beside/uploads.js");
  const { gitBytes } = await import(dist + "/git/process.js");
  const { SshConnection } = await import(dist + "/ssh/connection.js");
  const { isBeingPacked } = await import(dist + "/git/refs/packing.js");
  const { processesWithOpen } = await import(dist + "/git/root/root-lock.js");
  const { readSymbolicRefs } = await import(dist + "/git/refs/symbolic-refs.js");
  const { namesIn } = await import(dist + "/io/disk.js");
  const { diskError } = await import(dist + "/io/disk-errors.js");
  const questions = [
    () => isUntouched(dir, 60_000),
    () => isBeingPacked(dir),
    () => processesWithOpen(dir + "/young"),
    async () => (await readSymbolicRefs(dir, new Set())).size,
    async () => (await namesIn(dir)).length,
    () => gitBytes({ path: "/usr/bin:/bin", home: dir, lockFd: null }, dir, ["rev-parse", "--git-dir"]),
    async () => new SshConnection({ device: "a", user: "a", host: "a", port: 22, keyFile: "a", hostKeysFile: "a" }, "a", "/usr/bin"),
  ];
  const ask = async (question) => await question().catch((error) => diskError(error)?.message ?? error.code);
  await ask(questions[0]);
  try {
    for (;;) openSync("/dev/null");
  } catch {}
  const answers = [];
  for (const question of questions) answers.push(await ask(question));
  process.stdout.write(JSON.stringify(answers), () => process.exit());
`;

it("does not take a directory for old or empty, a repository or a file for unused, nor an alias for absent, and goes on", async () => {
  const dir = await realpath(await mkdtemp(join(tmpdir(), "lockstep-descriptors-")));
  try {
    await mkdir(join(dir, "pack"));
    await writeFile(join(dir, "young"), "");
    await mkdir(join(dir, "refs"));
    await writeFile(join(dir, "refs", "alias"), "ref: refs/heads/main\n");
    await utimes(join(dir, "refs"), 0, 0);
    for (const each of [join(dir, "pack"), dir]) await utimes(each, 0, 0);
    const asker = `ulimit -n 64 && exec "$0" --input-type=module -e "$1" "$2" "$3"`;
    const { stdout } = await promisify(execFile)("sh", ["-c", asker, process.execPath, ASKER, DIST, dir]);
    const told = expect.stringMatching(/^Too many files are open \(.*EMFILE.*; raise the sidecar's limit/);
    expect(JSON.parse(stdout)).toEqual([told, told, told, told, told, told, told]);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

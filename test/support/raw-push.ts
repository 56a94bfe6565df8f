// Makes pushes that no git would make: with exactly the given objects, even if others are needed, and the given
// commands.
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import type { GitSandbox } from "./git.ts";

export interface RawPush {
  /** The commands `old new name`. An absent `oldId` means that the ref does not exist. */
  readonly commands: readonly { name: string; oldId?: string; newId: string }[];
  /** The ids of all objects of the pack. */
  readonly objects: readonly string[];
  /** The commits at which the pusher's shallow clone ends. */
  readonly shallow?: readonly string[];
}

/** Returns the request body of a push from the repository `dir`, as smart HTTP carries it. */
async function requestOf(
  git: GitSandbox,
  dir: string,
  { commands, objects, shallow = [] }: RawPush,
): Promise<Buffer<ArrayBuffer>> {
  const args = ["pack-objects", "--stdout", "-q"];
  const { bytes, code, stderr } = await git.run(args, { cwd: dir, input: objects.map((id) => `${id}\n`).join("") });
  if (code !== 0) throw new Error(stderr);
  const zero = "0".repeat(40);
  const lines = [
    ...shallow.map((id) => `shallow ${id}`),
    ...commands.map(
      ({ name, oldId = zero, newId }, index) =>
        `${oldId} ${newId} ${name}${index === 0 ? "\0 report-status side-band-64k agent=git/raw" : ""}`,
    ),
  ];
  const packets = lines.map((line) => `${(line.length + 4).toString(16).padStart(4, "0")}${line}`).join("");
  return Buffer.concat([Buffer.from(`${packets}0000`), bytes]);
}

/** Lets a replica's git take objects as they come. */
export async function withoutFsck(gitDir: string): Promise<void> {
  await appendFile(join(gitDir, "config"), "[receive]\n\tfsckObjects = false\n");
}

/** Pushes to a gate. Returns the whole answer as text, with readable reports. */
export async function pushOverHttp(git: GitSandbox, dir: string, url: string, request: RawPush): Promise<string> {
  const answer = await fetch(`${url}/git-receive-pack`, {
    method: "POST",
    headers: { "Content-Type": "application/x-git-receive-pack-request" },
    body: await requestOf(git, dir, request),
  });
  return await answer.text();
}

/** Pushes into a directory, as a front end without knowledge of Lockstep does, with these settings. */
export async function pushInto(
  git: GitSandbox,
  dir: string,
  gitDir: string,
  settings: readonly string[],
  request: RawPush,
): Promise<string> {
  const options = settings.flatMap((setting) => ["-c", setting]);
  const args = ["-c", "safe.directory=*", ...options, "receive-pack", "--stateless-rpc", gitDir];
  return (await git.run(args, { input: await requestOf(git, dir, request) })).stdout;
}

/** Writes an object of that type and content, even if objects that it names are missing. Returns its id. */
export async function writeObject(
  git: GitSandbox,
  dir: string,
  type: string,
  content: string | Buffer,
): Promise<string> {
  const args = ["hash-object", "-t", type, "-w", "--stdin", "--literally"];
  return await git.git(args, { cwd: dir, input: content });
}

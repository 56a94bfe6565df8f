// A push that no git would make: exactly those objects, whatever they need, and exactly those commands.
import type { GitSandbox } from "./git.ts";

export interface RawPush {
  /** `old new name`, where null is the absence. */
  readonly commands: readonly { name: string; oldId?: string; newId: string }[];
  /** Objects of the pack, and no others. */
  readonly objects: readonly string[];
  /** Where the pusher's clone has no more history. */
  readonly shallow?: readonly string[];
}

/** The request of a push from the repository `dir`, as smart HTTP carries it. */
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

/** Pushes to a gate; returns the whole answer, in which reports are readable. */
export async function pushOverHttp(git: GitSandbox, dir: string, url: string, request: RawPush): Promise<string> {
  const answer = await fetch(`${url}/git-receive-pack`, {
    method: "POST",
    headers: { "Content-Type": "application/x-git-receive-pack-request" },
    body: await requestOf(git, dir, request),
  });
  return await answer.text();
}

/** Pushes into a directory, as a front end does that knows nothing of us and has these settings. */
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

/** Writes an object of that type and content, whether or not what it names is there; returns its id. */
export async function writeObject(
  git: GitSandbox,
  dir: string,
  type: string,
  content: string | Buffer,
): Promise<string> {
  const args = ["hash-object", "-t", type, "-w", "--stdin", "--literally"];
  return await git.git(args, { cwd: dir, input: content });
}

// Lists commits for a person who has to decide about them.

import { type GitContext, gitBytes } from "../process.ts";
import { existingObjects } from "./connectivity.ts";

export interface Commit {
  readonly id: string;
  readonly author: string;
  readonly email: string;
  readonly at: Date;
  readonly subject: string;
}

export interface CommitList {
  /** Newest first. */
  readonly commits: Commit[];
  /** The number of commits beyond those. */
  readonly more: number;
  /** Tips that are missing here, or whose history is incomplete. */
  readonly missing: string[];
}

/** Lists at most `limit` commits that `tips` reach and `without` do not. Leaves out objects that are missing here. */
export async function listCommits(
  context: GitContext,
  gitDir: string,
  { tips, without, limit }: { tips: readonly string[]; without: readonly string[]; limit: number },
  signal: AbortSignal,
): Promise<CommitList> {
  const present = await existingObjects(context, gitDir, tips, signal);
  const here = new Set(present);
  const missing = tips.filter((id) => !here.has(id));
  if (present.length === 0) return { commits: [], more: 0, missing };
  const known = await existingObjects(context, gitDir, without, signal);
  const input = `${[...present, ...known.map((id) => `^${id}`)].join("\n")}\n`;
  const expected = [0, 128];
  const format = [
    "--no-show-signature",
    "--encoding=UTF-8",
    "--format=%H%x00%an%x00%ae%x00%ct%x00%s",
    `--max-count=${limit}`,
  ];
  const shown = await gitBytes(context, gitDir, ["log", "--stdin", ...format], { input, signal, expected });
  const counted = await gitBytes(context, gitDir, ["rev-list", "--count", "--stdin"], { input, signal, expected });
  const commits = shown.stdout.toString("utf8").split("\n").filter(Boolean).map(parse);
  const total = Number(counted.stdout.toString("latin1").trim()) || commits.length;
  // If the history is incomplete, git shows the commits up to the gap.
  const broken = shown.exitCode === 0 ? [] : present;
  return { commits, more: Math.max(0, total - commits.length), missing: missing.concat(broken) };
}

function parse(line: string): Commit {
  const [id = "", author = "", email = "", at = "0", subject = ""] = line.split("\0");
  return { id, author, email, at: new Date(Number(at) * 1000), subject };
}

// A pusher: a repository from which stock git pushes.
import type { GitSandbox, RunResult } from "./git.ts";

export interface Pusher {
  readonly dir: string;
  /** Makes a commit with a new file on `parent`, or a root commit without `parent`. Returns its id. */
  commit(parent?: string): Promise<string>;
  /** Runs `git push URL ARGS…` and returns the result, also if it fails. */
  push(url: string, ...args: string[]): Promise<RunResult>;
  /** Runs `git push URL ARGS…`. Throws if it fails. */
  land(url: string, ...args: string[]): Promise<void>;
}

let commits = 0;

/** Makes a pusher with a bare repository `name` in the sandbox. Its pushes may run at the same time. */
export async function pusher(git: GitSandbox, name: string): Promise<Pusher> {
  const dir = await git.bare(name);
  const push: Pusher["push"] = (url, ...args) => git.run(["push", url, ...args], { cwd: dir });
  return {
    dir,
    push,
    async commit(parent) {
      commits += 1;
      const script = [
        `commit refs/made/${commits}`,
        "mark :1",
        `committer Ada <ada@example.com> ${1_700_000_000 + commits} +0000`,
        data(`${name} ${commits}`),
        ...(parent === undefined ? [] : [`from ${parent}`]),
        `M 644 inline file-${commits}`,
        data(`content ${name} ${commits}`),
        "get-mark :1",
        "done",
        "",
      ];
      return await git.git(["fast-import", "--quiet", "--done"], { cwd: dir, input: script.join("\n") });
    },
    async land(url, ...args) {
      const { code, stderr } = await push(url, ...args);
      if (code !== 0) throw new Error(`the push to ${url} failed: ${stderr}`);
    },
  };
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}`;
}

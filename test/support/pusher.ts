// Somebody with a repository of his own who pushes from it with stock git.
import type { GitSandbox, RunResult } from "./git.ts";

export interface Pusher {
  readonly dir: string;
  /** Makes a commit with a file of its own on `parent` (absent: on nothing), and returns its id. */
  commit(parent?: string): Promise<string>;
  /** `git push URL ARGS…`, however it ends. */
  push(url: string, ...args: string[]): Promise<RunResult>;
  /** `git push URL ARGS…`, which must succeed. */
  land(url: string, ...args: string[]): Promise<void>;
}

let commits = 0;

/** Makes a bare repository called `name` in the sandbox to push from; pushes from it may run side by side. */
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

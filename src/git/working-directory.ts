import { statSync } from "node:fs";

/**
 * Returns true while a process works in the directory that lies at that path now. A process stays in a directory that
 * is moved, and another one may be at the path by then.
 */
export function worksIn(pid: number | undefined, path: string): boolean {
  const [own, wanted] = [`/proc/${pid}/cwd`, path].map((each) => statSync(each, { throwIfNoEntry: false }));
  return own !== undefined && own.ino === wanted?.ino && own.dev === wanted.dev;
}

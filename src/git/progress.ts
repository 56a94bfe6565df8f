// The progress of a git command, as git writes it to standard error.

/** How far git is in one phase of its work on a pack. */
export interface PackProgress {
  readonly phase: string;
  readonly objects: number;
  readonly totalObjects: number;
}

const PROGRESS = /(Receiving objects|Indexing objects|Resolving deltas): +\d+% \((\d+)\/(\d+)\)/g;

/** Reports the newest progress in a piece of git's standard error. */
export function reportProgress(text: string, onProgress: (progress: PackProgress) => void): void {
  const last = [...text.matchAll(PROGRESS)].at(-1);
  if (last === undefined) return;
  onProgress({ phase: (last[1] as string).toLowerCase(), objects: Number(last[2]), totalObjects: Number(last[3]) });
}

/** Returns a function that says whether a piece of git's output differs from the line before it. */
export function listenForNews(): (said: string) => boolean {
  let last = "";
  return (said) => {
    const line = said.split(/[\r\n]+/).findLast((each) => each !== "") ?? last;
    const isNews = line !== last;
    last = line;
    return isNews;
  };
}

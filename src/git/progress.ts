// How far git is, as it says on standard error.

export interface PackProgress {
  readonly phase: string;
  readonly objects: number;
  readonly totalObjects: number;
}

const PROGRESS = /(Receiving objects|Indexing objects|Resolving deltas): +\d+% \((\d+)\/(\d+)\)/g;

/** Tells of the newest progress in what git says on standard error. */
export function reportProgress(text: string, onProgress: (progress: PackProgress) => void): void {
  const last = [...text.matchAll(PROGRESS)].at(-1);
  if (last === undefined) return;
  onProgress({ phase: (last[1] as string).toLowerCase(), objects: Number(last[2]), totalObjects: Number(last[3]) });
}

/** Returns a function that tells whether a piece of what git says has anything that git has not just said. */
export function listenForNews(): (said: string) => boolean {
  let last = "";
  return (said) => {
    const line = said.split(/[\r\n]+/).findLast((each) => each !== "") ?? last;
    const isNews = line !== last;
    last = line;
    return isNews;
  };
}

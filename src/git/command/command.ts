// The form of a git command that the builder (build.ts) returns, and the parts that every environment has.

/** A git command: nothing else reaches the process that runs it. */
export interface Command {
  /** Arguments after `git`. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Standard input as a whole. undefined: the operation streams, or reads none. */
  readonly input?: string;
}

/** The two variables that a git takes over from the process that starts it. */
export interface Programs {
  /** PATH, where git and its own programs are. */
  readonly path: string;
  /** HOME. */
  readonly home: string;
}

export type Settings = Readonly<Record<string, string>>;

/**
 * Part of every environment: git reads each object exactly as it is stored. Replacement refs, grafts and shallow files,
 * which a pusher or a person may have put there, have no effect. The empty names stand for files that do not exist.
 */
export const OBJECTS_AS_THEY_ARE = { GIT_NO_REPLACE_OBJECTS: "1", GIT_GRAFT_FILE: "", GIT_SHALLOW_FILE: "" } as const;

/** Before git 2.41 the repository's settings override GIT_NO_REPLACE_OBJECTS. This one overrides both. */
export const NO_REPLACEMENTS = { "core.useReplaceRefs": "false" } as const;

/**
 * Returns the part of an environment that gives git settings. They count more than any file. Unlike arguments, other
 * users of the machine cannot see them.
 */
export function asEnvironment(settings: Settings): Record<string, string> {
  const entries = Object.entries(settings);
  const numbered = entries.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(entries.length), ...Object.fromEntries(numbered) };
}

/** Returns settings as arguments, each behind `-c`. */
export function asArguments(settings: Settings): string[] {
  return Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`]);
}

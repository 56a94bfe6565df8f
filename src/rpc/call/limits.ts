// What a caller may do with which repositories. Every RPC that names a repository is checked here.
import { LockstepError } from "../../errors.ts";
import type { Access } from "../../store/registry/registry.ts";
import type { Caller } from "./caller.ts";
import type { Rule } from "./roles.ts";

/** Answers about callers that come with a certificate. */
export interface CallerLimits {
  /** Returns what a front end may use. undefined: everything. */
  readonly accessOf: (caller: Caller) => Access | undefined;
  /** Returns true if the device holds the repository, or should hold it. */
  readonly holds: (device: string, repository: string) => Promise<boolean>;
}

/** Throws PERMISSION_DENIED if the rules of the RPC, or the limits of the caller, refuse this request. */
export async function checkLimits(caller: Caller, rule: Rule, request: unknown, limits: CallerLimits): Promise<void> {
  const {
    repository,
    repositories = [],
    forPush,
  } = request as {
    repository?: string;
    repositories?: string[];
    forPush?: boolean;
  };
  if (caller.role === "device" && rule.scope === "one") {
    if (repository !== undefined && (await limits.holds(caller.name, repository))) return;
    throw permissionDeniedError(
      `Device ${caller.name} does not hold ${JSON.stringify(repository)}, so it may not ask about it.`,
    );
  }
  const access = accessOf(caller, limits);
  if (access === undefined) return;
  if (access.readOnly && (rule.does === "writes" || forPush === true))
    throw permissionDeniedError(
      `Front end ${caller.name} may only read; \`lockstep frontend trust ${caller.name}\` changes that.`,
    );
  if (access.repositories.length === 0) return;
  const asked = rule.scope === "one" ? [repository ?? ""] : rule.scope === "listed" ? askedFor(repositories) : [];
  const refused = rule.scope === "cluster" ? ["the whole cluster"] : asked.filter((each) => !covers(access, each));
  if (refused.length === 0) return;
  throw permissionDeniedError(
    `Front end ${caller.name} may use only ${access.repositories.join(", ")}, not ${refused.slice(0, 3).join(", ")}; \`lockstep frontend trust ${caller.name} --repositories …\` changes that.`,
  );
}

/** Returns the repositories that the caller may use: names and globs. Empty: all. */
export function allowedTo(caller: Caller, limits: CallerLimits): readonly string[] {
  return accessOf(caller, limits)?.repositories ?? [];
}

function accessOf(caller: Caller, limits: CallerLimits): Access | undefined {
  return caller.role === "frontend" ? limits.accessOf(caller) : undefined;
}

/** Returns the names and globs that a request asks for: without any it asks for all repositories. */
function askedFor(patterns: readonly string[]): readonly string[] {
  return patterns.length === 0 ? ["*"] : patterns;
}

/** Returns true if every name that `asked` stands for, a name or a glob, is one that the access allows. */
function covers({ repositories }: Access, asked: string): boolean {
  return repositories.some((allowed) => matches(allowed, asked));
}

/**
 * Compares a text with a glob in at most the product of their lengths. A "?" of the glob is not a "*" of the text: that
 * stands for any number of characters.
 */
function matches(glob: string, text: string): boolean {
  let reached = new Set([0]);
  for (const wanted of glob) {
    const next = new Set<number>();
    for (const at of reached) {
      if (wanted === "*") for (let end = at; end <= text.length && !next.has(end); end += 1) next.add(end);
      else if (at < text.length && (wanted === text[at] || (wanted === "?" && text[at] !== "*"))) next.add(at + 1);
    }
    reached = next;
  }
  return reached.has(text.length);
}

function permissionDeniedError(message: string): LockstepError {
  return new LockstepError("PERMISSION_DENIED", message);
}

// Which packs may be shared. The command of git upload-pack and its input name every object that decides about the
// pack. Only such commands are taken. A command that depends on anything else is left to the client's own git.
import { createHash } from "node:crypto";
import type { LocalArguments } from "../git/command/operations.ts";

/** A longer input is not looked at. */
export const INPUT_LIMIT = 16 << 20;
const FLAGS = new Set(["--thin", "--shallow", "--progress", "-q", "--delta-base-offset", "--include-tag"]);
/** Filters that name no ref. `sparse:oid=` may name one. */
const FILTER = /^--filter=(blob:none|blob:limit=\d+|tree:\d+|object:type=(commit|tree|blob|tag))$/;
const INPUT = /^((--shallow )?([0-9a-f]{40}|[0-9a-f]{64})\n|--not\n|\n)*$/;

/** A pack that a client waits for. */
export interface PackRequest {
  readonly args: LocalArguments;
  /** The ids of wanted objects, `--not`, and those of objects that the client has. */
  readonly input: Buffer;
  /** True when the client has nothing yet: many clients send this request, word for word. */
  readonly isClone: boolean;
  /** True when the refs below refs/tags/ decide about the pack too. */
  readonly includesTags: boolean;
}

/**
 * Reads the command that git upload-pack gives its hook for packs, and the input of that command. Returns undefined for
 * each command of another form.
 */
export function readPackRequest(command: readonly string[], input: Buffer): PackRequest | undefined {
  const words = command[0] === "git" ? command.slice(1) : [];
  // git says so for a shallow client. The environment of the sidecar's git says the same always.
  if (words[0] === "--shallow-file" && words[1] === "") words.splice(0, 2);
  const [program, revs, ...flags] = words;
  if (program !== "pack-objects" || revs !== "--revs" || !flags.includes("--stdout")) return undefined;
  if (!flags.every((flag) => flag === "--stdout" || FLAGS.has(flag) || FILTER.test(flag))) return undefined;
  if (input.length > INPUT_LIMIT || !INPUT.test(input.toString("latin1"))) return undefined;
  return {
    args: ["pack-objects", revs, ...flags],
    input,
    isClone: !/^--not\n[0-9a-f]/m.test(input.toString("latin1")),
    includesTags: flags.includes("--include-tag"),
  };
}

/**
 * Returns the key of a request: equal for requests that have equal packs. `tagsAt` changes whenever a ref below
 * refs/tags/ may have changed.
 */
export function keyOf({ args, input, includesTags }: PackRequest, repositoryId: string, tagsAt: number): string {
  const words = JSON.stringify([repositoryId, includesTags ? tagsAt : null, args]);
  return createHash("sha256").update(words).update("\0").update(input).digest("hex");
}

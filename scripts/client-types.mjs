// Writes what the client needs of the protocol: a class with a method for each RPC (methods.ts), and the types of the
// messages by their plain names (messages.ts).
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const FILES = ["sync.proto", "cluster.proto"];
const RPC = /((?:^ {2}\/\/.*\n)*)^ {2}rpc (\w+)\((\w+)\) returns \((stream )?(\w+)\);/gm;
const MESSAGE = /^(message|enum) (\w+) \{/gm;
const HEAD = "// Written by `npm run generate` from proto/lockstep/v1.\n";

/** Writes both files into `target`. `protocol`: the directory of the .proto files. */
export function writeClientTypes(protocol, target) {
  const text = FILES.map((file) => readFileSync(join(protocol, file), "utf8")).join("\n");
  const rpcs = [...text.matchAll(RPC)].map(([, comment, name, request, stream, response]) => ({
    comment: comment
      .replaceAll(/^ {2}\/\/ ?/gm, "")
      .trimEnd()
      .split("\n"),
    name,
    request,
    response,
    stream: stream !== undefined,
  }));
  writeFileSync(join(target, "methods.ts"), methods(rpcs));
  writeFileSync(join(target, "messages.ts"), messages([...text.matchAll(MESSAGE)]));
}

function methods(rpcs) {
  const imports = new Set(
    rpcs.flatMap(({ request, response }) => [
      `import type { ${request} } from './lockstep/v1/${request}.ts';`,
      `import type { ${response}__Output } from './lockstep/v1/${response}.ts';`,
    ]),
  );
  return `${HEAD}${[...imports].sort().join("\n")}

export interface CallOptions {
  /** How long the call may take, with its repetitions. A stream has no such limit. */
  readonly timeoutMs?: number;
  /** Cancels the call. */
  readonly signal?: AbortSignal;
  /** The place of the caller's work in a trace, as W3C Trace Context writes it. */
  readonly traceparent?: string;
}

/**
 * When a failed call is repeated. always: when the sidecar allows it or the connection fails. told: only when the sidecar
 * allows it. never: by its caller only.
 */
export type Repeats = "always" | "told" | "never";

/** A method for each RPC. */
export abstract class Methods {
  protected abstract unary<Request, Response>(
    name: string, request: Request, options: CallOptions, repeats: Repeats,
  ): Promise<Response>;
  protected abstract streaming<Request, Response>(
    name: string, request: Request, options: CallOptions,
  ): AsyncGenerator<Response>;
${rpcs.map(method).join("")}}
`;
}

function method({ comment, name, request, response, stream }) {
  const answer = `${response}__Output`;
  const called = stream
    ? `this.streaming<${request}, ${answer}>("${name}", request, options)`
    : `this.unary<${request}, ${answer}>("${name}", request, options, "${repeats(name, comment.join(" "))}")`;
  return `
  /**
${comment.map((line) => `   * ${line}`.trimEnd()).join("\n")}
   */
  ${name[0].toLowerCase()}${name.slice(1)}(request: ${request}, options: CallOptions = {}): ${stream ? "AsyncGenerator" : "Promise"}<${answer}> {
    return ${called};
  }
`;
}

/** Reads from the comment of an RPC whether a call may be repeated. Calls that only look may always be. */
function repeats(name, comment) {
  if (/May not be repeated/.test(comment)) return "never";
  // BeginWrite: only with an id that the caller chose.
  if (/May be repeated by the same caller/.test(comment)) return "told";
  return /May be repeated/.test(comment) || /^(Get|List|Find)/.test(name) ? "always" : "told";
}

/** A request has the fields that its caller may leave out; every other message is as a sidecar sends it. */
function messages(found) {
  const lines = found.map(([, , name]) =>
    name.endsWith("Request")
      ? `export type { ${name} } from './lockstep/v1/${name}.ts';`
      : `export type { ${name}__Output as ${name} } from './lockstep/v1/${name}.ts';`,
  );
  return `${HEAD}${[...new Set(lines)].sort().join("\n")}\n`;
}

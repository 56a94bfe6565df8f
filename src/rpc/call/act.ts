// Makes rows of the audit from the calls of operators.
import type { Act } from "../../store/registry/audit.ts";
import { provenAuthor } from "./author-and-reason.ts";
import type { Caller } from "./caller.ts";

/** Fields of requests that are secret, or say nothing to a reader. */
const LEFT_OUT = new Set(["secret", "token", "certificate", "author", "repository", "device"]);
const TEXT_LIMIT = 200;
const ITEMS_LIMIT = 20;

/** Returns the row for a call of `path`. `result`: `done`, or the code of the error. */
export function actOf(path: string, caller: Caller, request: unknown, result: string): Act {
  const fields = request as Readonly<Record<string, unknown>>;
  const text = (name: string) =>
    typeof fields[name] === "string" && fields[name] !== "" ? String(fields[name]).slice(0, TEXT_LIMIT) : undefined;
  return {
    author: provenAuthor(text("author") ?? "", caller),
    action: words(path.split("/").at(-1) ?? ""),
    repository: text("repository"),
    device: text("device"),
    result,
    detail: Object.fromEntries(
      Object.entries(fields)
        .filter(([name, value]) => !LEFT_OUT.has(name) && !isEmpty(value))
        .map(([name, value]) => [name, inShort(value)]),
    ),
  };
}

/** Returns "drain device" for "DrainDevice". */
function words(name: string): string {
  return name.replace(/(?<!^)[A-Z]/g, " $&").toLowerCase();
}

function isEmpty(value: unknown): boolean {
  return (
    value === "" ||
    value === 0 ||
    value === "0" ||
    value === false ||
    value === null ||
    (Array.isArray(value) && value.length === 0)
  );
}

function inShort(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, ITEMS_LIMIT).map(inShort);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, inShort(each)]));
  return typeof value === "string" ? value.replaceAll("\0", "").slice(0, TEXT_LIMIT) : value;
}

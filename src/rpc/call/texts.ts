// The length of texts in requests: names, reasons, authors, and the few that may be longer.
import { TEXT_LIMIT } from "../../domain.ts";
import { LockstepError } from "../../errors.ts";
import { repositoryName } from "../../names.ts";

/** Fields that may have more characters than others. */
const LONGER: Readonly<Record<string, number>> = {
  cursor: 4_000,
  url: 2_000,
  secret: 1_000,
  said: 100_000,
  certificate: 100_000,
};

/**
 * Throws INVALID_REQUEST if a text in the request is too long, or has a NUL character, which the database cannot keep.
 * Throws INVALID_NAME for what is no name of a repository. It looks into lists and inner messages too.
 */
export function checkTexts(request: unknown, field = "request"): void {
  if (typeof request === "string") checkText(field, request);
  else if (Array.isArray(request)) for (const each of request) checkTexts(each, field);
  else if (typeof request === "object" && request !== null && !ArrayBuffer.isView(request))
    for (const [name, value] of Object.entries(request)) checkTexts(value, name);
}

/** Fields whose content has a sentence of its own when it is no name. */
const NAMES: ReadonlySet<string> = new Set(["repository", "newName"]);

function checkText(field: string, text: string): void {
  if (NAMES.has(field) && text !== "") return void repositoryName(text);
  const limit = (Object.hasOwn(LONGER, field) && LONGER[field]) || TEXT_LIMIT;
  const name = field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  if (text.length > limit)
    throw new LockstepError("INVALID_REQUEST", `The ${name} has at most ${limit} characters; shorten it.`);
  if (text.includes("\0"))
    throw new LockstepError(
      "INVALID_REQUEST",
      `The ${name} has a NUL character, which PostgreSQL cannot hold; leave it out.`,
    );
}

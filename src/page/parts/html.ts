// Makes HTML. Every text that is put in is escaped, whoever wrote it: names, reasons and errors are of strangers.
import { visible } from "../../io/visible.ts";

/** A piece of HTML that is safe to put into a page. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Part = Html | string | number | bigint | readonly Part[] | undefined | null | false;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Makes HTML of a template. Its values are escaped, unless they are HTML themselves. false and null leave nothing.
 */
export function html(pieces: TemplateStringsArray, ...values: readonly Part[]): Html {
  return new Html(pieces.reduce((text, piece, place) => text + textOf(values[place - 1]) + piece));
}

function textOf(part: Part): string {
  if (part === undefined || part === null || part === false) return "";
  if (part instanceof Html) return part.text;
  if (typeof part === "object") return part.map(textOf).join("");
  // Characters that turn the direction of text, or that nobody sees, are written out.
  return visible(String(part)).replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}

// Makes text of strangers (authors, ref names, git's messages) safe for a person's terminal.

// Control characters move the cursor, change colours and titles, and on some terminals type for the user. Characters
// that turn the direction of text make a name look like another one.
const HARMFUL = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Returns the text on one line. Characters that act on a terminal are written out, such as `\x1b`. */
export function visible(text: string): string {
  return text.replace(HARMFUL, (character) => SHORT[character] ?? code(character));
}

/** Returns several lines of text. Only the ends of lines, and tabs, act on a terminal. */
export function visibleLines(text: string): string {
  return text.replace(HARMFUL, (character) => (/[\n\t]/.test(character) ? character : visible(character)));
}

/** Returns JSON in which harmful characters are escaped. A reader of JSON gets the same texts. */
export function visibleJson(json: string): string {
  return json.replace(HARMFUL, (character) => (character < " " ? character : `\\u${hex(character, 4)}`));
}

function hex(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, "0");
}

function code(character: string): string {
  return character < "\u0100" ? `\\x${hex(character, 2)}` : `\\u${hex(character, 4)}`;
}

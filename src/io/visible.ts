// Makes text of strangers (authors, ref names, git's messages) safe for a person's terminal.

// Control characters move the cursor, change colours and titles, and on some terminals type for the user. Characters
// that turn the direction of text make a name look like another one.
const HARMFUL = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Returns the text on one line. Characters that act on a terminal are written out, such as `\x1b`. */
export function visible(text: string): string {
  return text.replace(HARMFUL, (character) => SHORT[character] ?? code(character));
}

function code(character: string): string {
  const number = character.charCodeAt(0);
  return number < 0x100 ? `\\x${number.toString(16).padStart(2, "0")}` : `\\u${number.toString(16).padStart(4, "0")}`;
}

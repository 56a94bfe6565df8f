// Text that strangers wrote (authors, ref names, what git said) on its way to a person's terminal.

// Control characters move the cursor, change colours and titles, and on some terminals type for the user; those that turn the
// direction of text make a name look like another one.
const HARMFUL = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** The text on one line, with whatever acts on a terminal written out, as `\x1b`. */
export function visible(text: string): string {
  return text.replace(HARMFUL, (character) => SHORT[character] ?? code(character));
}

function code(character: string): string {
  const number = character.charCodeAt(0);
  return number < 0x100 ? `\\x${number.toString(16).padStart(2, "0")}` : `\\u${number.toString(16).padStart(4, "0")}`;
}

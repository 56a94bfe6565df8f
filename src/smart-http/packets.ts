// git's packets, made of text that is a character for each byte.
/** UTF-8, a character for each byte. */
export function utf8(text: string): string {
  return Buffer.from(text.replace(/[\n\0]/g, " ")).toString("latin1");
}

export function packet(text: string): Buffer {
  return Buffer.from((text.length + 4).toString(16).padStart(4, "0") + text, "latin1");
}

// Names of refs are bytes, here one character each (latin1). node gives programs arguments in UTF-8 only, so a shell makes others.
const utf8 = (text: string) => Buffer.from(text).toString("latin1");

/** The refs of one generation by number: a directory in the place of a file, other scripts, bytes of no script, a name as long as it may be. */
export const NAMES = ["r0", "r1", "r1/under", utf8("glück"), "caf\xe9", `long-${"x".repeat(230)}`];
/** Those which are in no other's way. */
export const APART = [0, 3, 4, 5];

export function scopeOf(generation: number): string {
  return `refs/heads/g${generation}/`;
}

/** Stands for the first ref of its generation, once it has been made. */
export function aliasOf(generation: number): string {
  return `refs/heads/odd/g${generation}`;
}

/** A file of these bytes. */
export function pathOf(latin1: string): Buffer {
  return Buffer.from(latin1, "latin1");
}

/** A program with arguments of any bytes. */
export function commandOf(program: string, args: readonly string[]): [string, string[]] {
  if (args.every((arg) => Buffer.byteLength(arg) === arg.length)) return [program, [...args]];
  const words = [program, ...args].map((arg) => `"$(printf '${octal(arg)}')"`);
  return ["/bin/sh", ["-c", `exec ${words.join(" ")}`]];
}

function octal(latin1: string): string {
  return [...pathOf(latin1)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}

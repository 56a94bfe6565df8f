// Names of refs with odd bytes. A name is bytes, here one character each (latin1). Node passes arguments to programs
// only in UTF-8, so a shell makes the others.
const utf8 = (text: string) => Buffer.from(text).toString("latin1");

/**
 * The refs of one generation by number. Among them are a directory in the place of a file, other scripts, bytes that
 * are no UTF-8, and the longest possible name.
 */
export const NAMES = ["r0", "r1", "r1/under", utf8("glück"), "caf\xe9", `long-${"x".repeat(230)}`];
/** The numbers of the refs that can exist beside all others. */
export const APART = [0, 3, 4, 5];

export function scopeOf(generation: number): string {
  return `refs/heads/g${generation}/`;
}

/** Returns the name of the symbolic ref that points to the first ref of its generation. It may not exist yet. */
export function aliasOf(generation: number): string {
  return `refs/heads/odd/g${generation}`;
}

/** Returns the path whose bytes are these characters. */
export function pathOf(latin1: string): Buffer {
  return Buffer.from(latin1, "latin1");
}

/** Returns a command that runs a program with arguments of any bytes. */
export function commandOf(program: string, args: readonly string[]): [string, string[]] {
  if (args.every((arg) => Buffer.byteLength(arg) === arg.length)) return [program, [...args]];
  const words = [program, ...args].map((arg) => `"$(printf '${octal(arg)}')"`);
  return ["/bin/sh", ["-c", `exec ${words.join(" ")}`]];
}

function octal(latin1: string): string {
  return [...pathOf(latin1)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}

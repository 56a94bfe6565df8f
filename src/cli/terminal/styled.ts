// Text with styles and tables, as commands make it, and as a terminal or a file gets it. A terminal gets colours, and
// tables that fit into its lines.
import { styleText } from "node:util";
import { visible, visibleLines } from "../../io/visible.ts";

/** A piece of text that says how something is. */
export interface Styled {
  readonly style: keyof typeof STYLES;
  readonly text: string;
}

const STYLES = { good: "green", bad: "red", notice: "yellow", heading: "bold" } as const;
/** Each style has a letter, which stands behind START. */
const LETTERS: Readonly<Record<Styled["style"], string>> = { good: "g", bad: "b", notice: "n", heading: "h" };

// A terminal acts on none of these characters in what is printed: they are taken out, or written out where a stranger's
// text has them.
const [START, END] = ["\x0e", "\x0f"];
const [TABLE, ROW, CELL] = ["\x1d", "\x1e", "\x1f"];
const PIECES = new RegExp(`${START}([${Object.values(LETTERS).join("")}])([^${START}${END}]*)${END}`, "g");
const TABLES = new RegExp(`${TABLE}([^${TABLE}]*)${TABLE}`, "g");

const GAP = "  ";

/** How text is to be shown. */
export interface Look {
  readonly coloured: boolean;
  /** The width of the terminal. undefined: tables are as wide as they are, so that a row is one line. */
  readonly columns: number | undefined;
}

/** Returns how a stream shows text. NO_COLOR and FORCE_COLOR decide before the stream does. */
export function lookOf(
  env: Readonly<Record<string, string | undefined>>,
  stream: { readonly isTTY?: boolean; readonly columns?: number },
): Look {
  const isTerminal = stream.isTTY === true;
  const { NO_COLOR: none, FORCE_COLOR: force, TERM } = env;
  const forced = force !== undefined && !["0", "false"].includes(force);
  const coloured = none ? false : force === undefined ? isTerminal && TERM !== "dumb" : forced;
  return { coloured, columns: isTerminal ? stream.columns || 80 : undefined };
}

/** Returns text with a style. Control characters in it are made visible. */
export function styled(style: Styled["style"], text: string): string {
  return `${START}${LETTERS[style]}${visible(text)}${END}`;
}

/**
 * Returns rows in columns below a heading. Control characters in a cell are made visible, so the terminal ignores them.
 */
export function table(heading: readonly string[], rows: readonly (readonly (string | Styled)[])[]): string {
  const cell = (content: string | Styled) =>
    typeof content === "string" ? visible(content) : styled(content.style, content.text);
  const all = [heading.map((name) => styled("heading", name)), ...rows.map((row) => row.map(cell))];
  return `${TABLE}${all.map((row) => row.join(CELL)).join(ROW)}${TABLE}`;
}

/** Returns text as a terminal or a file gets it. Only ends of lines and tabs of strangers act on the terminal. */
export function shown(text: string, { coloured, columns }: Look): string {
  const laidOut = text.replace(TABLES, (_, rows: string) => layOut(rows, columns));
  const pieces = laidOut.split(PIECES);
  return pieces
    .map((piece, index) => {
      if (index % 3 === 0) return visibleLines(piece);
      if (index % 3 === 1) return "";
      const style = (Object.keys(LETTERS) as Styled["style"][]).find((name) => LETTERS[name] === pieces[index - 1]);
      const plain = visibleLines(piece);
      return coloured && style && plain !== "" ? styleText(STYLES[style], plain, { validateStream: false }) : plain;
    })
    .join("");
}

function widthOf(cell: string): number {
  return cell.replace(PIECES, "$2").length;
}

function layOut(text: string, columns: number | undefined): string {
  const rows = text.split(ROW).map((row) => row.split(CELL));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ""))));
  if (columns !== undefined) narrow(widths, rows, columns);
  return rows
    .flatMap((row) => {
      const cells = row.map((cell, column) => linesOf(cell, widths[column] ?? 0));
      const height = Math.max(...cells.map((lines) => lines.length));
      return Array.from({ length: height }, (_, line) =>
        cells
          .map((lines, column) => {
            const content = lines[line] ?? "";
            return content + " ".repeat(Math.max(0, (widths[column] ?? 0) - widthOf(content)));
          })
          .join(GAP)
          .trimEnd(),
      );
    })
    .join("\n");
}

/** Makes the widest columns narrower until a line fits, but no narrower than their longest word. */
function narrow(widths: number[], rows: readonly (readonly string[])[], columns: number): void {
  const words = widths.map((_, column) =>
    Math.max(...rows.flatMap((row) => (row[column] ?? "").split(" ").map((word) => widthOf(word)))),
  );
  const tooWide = () => widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length) > columns;
  while (tooWide()) {
    let widest: number | undefined;
    for (const [column, width] of widths.entries())
      if (width > (words[column] ?? 0) && width > (widest === undefined ? 0 : (widths[widest] ?? 0))) widest = column;
    if (widest === undefined) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}

/** Breaks a cell into lines between its words. A style goes on in each line. */
function linesOf(cell: string, width: number): string[] {
  if (widthOf(cell) <= width) return [cell];
  const letter = new RegExp(`^${START}(.)`).exec(cell)?.[1];
  const lines: string[] = [];
  for (const word of cell.replace(PIECES, "$2").split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return letter === undefined ? lines : lines.map((line) => `${START}${letter}${line}${END}`);
}

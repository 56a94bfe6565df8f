// Tables whose heads name their columns to screen readers too.
import { type Html, html, type Part } from "./html.ts";

/** A column: its head, and whether it has numbers. */
export type Column = string | { readonly head: string; readonly numbers: true };

/** Makes a table. The first cell of each row names the row. */
export function table(caption: Part, columns: readonly Column[], rows: readonly (readonly Part[])[]): Html {
  const kind = (place: number) => (typeof columns[place] === "object" ? html` class="number"` : undefined);
  const head = (column: Column) => (typeof column === "string" ? column : column.head);
  const cell = (part: Part, place: number) =>
    place === 0
      ? html`<th scope="row">${part}</th>`
      : html`<td${kind(place)} data-head="${head(columns[place] as Column)}">${part}</td>`;
  // A table that is wider than its window scrolls, also with the keyboard.
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table><caption>${caption}</caption><thead><tr>${columns.map(
    (column, place) => html`<th scope="col"${kind(place)}>${head(column)}</th>`,
  )}</tr></thead><tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>`)}</tbody></table></div>
`;
}

/** Makes a list of facts: a name and what it is. Facts that are empty are left out. */
export function facts(list: readonly (readonly [name: string, what: Part])[]): Html {
  const shown = list.filter(([, what]) => what !== "" && what !== undefined && what !== null && what !== false);
  return html`<dl class="facts">${shown.map(([name, what]) => html`<div><dt>${name}</dt><dd>${what}</dd></div>`)}</dl>
`;
}

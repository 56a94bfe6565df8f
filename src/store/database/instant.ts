// Times travel as numbers: as text PostgreSQL writes them the way DateStyle, IntervalStyle and TimeZone say, which a role, a database
// or a server may have set to anything.

/** SQL: milliseconds since 1970 of a time, null for null. `dated` makes Dates of such columns. */
export function epochMs(time: string): string {
  return `(extract(epoch from ${time}) * 1000)::int8`;
}

/** SQL: an interval in milliseconds, at most 24 days. Whole ones: how many digits a fraction has depends on extra_float_digits. */
export function intervalMs(interval: string): string {
  return `least(extract(epoch from ${interval}) * 1000, 2147483647)::int4`;
}

/** The row with Dates in the columns that `epochMs` made. */
export function dated<Row>(row: { readonly [column: string]: unknown }, ...columns: (keyof Row & string)[]): Row {
  const dates = columns.map((column) => {
    const ms = row[column] as bigint | null;
    return [column, ms === null ? null : new Date(Number(ms))];
  });
  return { ...row, ...Object.fromEntries(dates) } as Row;
}

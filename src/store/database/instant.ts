// Times travel as numbers. PostgreSQL writes a time as text according to DateStyle, IntervalStyle and TimeZone. A role,
// a database or a server may have set these to anything.

/** Returns SQL for the milliseconds from 1970 to a time; null for null. `dated` makes Dates of such columns. */
export function epochMs(time: string): string {
  return `(extract(epoch from ${time}) * 1000)::int8`;
}

/**
 * Returns SQL for an interval in whole milliseconds, at most 24 days; null for null. The digits of a fraction would
 * depend on extra_float_digits.
 */
export function intervalMs(interval: string): string {
  return `case when ${interval} is not null then least(extract(epoch from ${interval}) * 1000, 2147483647)::int4 end`;
}

/** Returns the row with Dates in the columns that `epochMs` made. */
export function dated<Row>(row: { readonly [column: string]: unknown }, ...columns: (keyof Row & string)[]): Row {
  const dates = columns.map((column) => {
    const ms = row[column] as bigint | null;
    return [column, ms === null ? null : new Date(Number(ms))];
  });
  return { ...row, ...Object.fromEntries(dates) } as Row;
}

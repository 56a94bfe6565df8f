// Times as people read them. Programs get ISO 8601 with --json.
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Up to that age a number of days says more than a date. */
const DAYS = 14;

/** Returns how long something took, in one unit: "45 s", "3 min", "2 h", "5 days". */
export function span(ms: number): string {
  if (ms < 100 * 1_000) return `${Math.max(0, Math.round(ms / 1_000))} s`;
  if (ms < 100 * MINUTE_MS) return `${Math.round(ms / MINUTE_MS)} min`;
  if (ms < 2 * DAY_MS) return `${Math.round(ms / HOUR_MS)} h`;
  return `${Math.round(ms / DAY_MS)} days`;
}

/** Returns when something will be: "now" or "in 3 min". */
export function ahead(at: Date, now = Date.now()): string {
  const ms = at.getTime() - now;
  return ms <= 0 ? "now" : `in ${span(ms)}`;
}

/** Returns when something was: "just now", "3 min ago", or the day for what is older than two weeks. */
export function ago(at: Date, now = Date.now()): string {
  const ms = now - at.getTime();
  if (ms < 1_000) return "just now";
  return ms < DAYS * DAY_MS ? `${span(ms)} ago` : `on ${at.toISOString().slice(0, 10)}`;
}

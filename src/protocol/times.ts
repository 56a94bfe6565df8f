// Converts timestamps and durations of the protocol. A file of its own, because proto.ts loads gRPC.

/** Converts a date to a timestamp of the protocol; null stays null. */
export function toTimestamp(date: Date | null): { seconds: string; nanos: number } | null {
  if (date === null) return null;
  const ms = date.getTime();
  return { seconds: String(Math.floor(ms / 1000)), nanos: (((ms % 1000) + 1000) % 1000) * 1_000_000 };
}

/** Converts milliseconds to a duration of the protocol. */
export function toDuration(ms: number): { seconds: string; nanos: number } {
  const whole = Math.floor(ms / 1000);
  return { seconds: String(whole), nanos: Math.round((ms - whole * 1000) * 1_000_000) };
}

/** Converts a timestamp or duration of the protocol to milliseconds. Returns undefined if there is none. */
export function toMs(value: { seconds: string; nanos: number } | null | undefined): number | undefined {
  return value ? Number(value.seconds) * 1000 + value.nanos / 1_000_000 : undefined;
}

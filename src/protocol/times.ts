// Times as the protocol has them. They stand apart from its definitions, which load gRPC.

/** A timestamp as the protocol has it; undefined stays undefined. */
export function toTimestamp(date: Date | null): { seconds: string; nanos: number } | null {
  if (date === null) return null;
  const ms = date.getTime();
  return { seconds: String(Math.floor(ms / 1000)), nanos: (((ms % 1000) + 1000) % 1000) * 1_000_000 };
}

/** A duration as the protocol has it. */
export function toDuration(ms: number): { seconds: string; nanos: number } {
  const whole = Math.floor(ms / 1000);
  return { seconds: String(whole), nanos: Math.round((ms - whole * 1000) * 1_000_000) };
}

/** The inverse of `toTimestamp` and `toDuration`, in milliseconds. */
export function toMs(value: { seconds: string; nanos: number } | null | undefined): number | undefined {
  return value ? Number(value.seconds) * 1000 + value.nanos / 1_000_000 : undefined;
}

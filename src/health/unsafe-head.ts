/** Says of a repository that its head is on fewer than two devices that stay. `leaders`: those that have it. */
export function unsafeHead(leaders: readonly string[]): string {
  return `unsafe: its head is on ${leaders.length === 0 ? "no device" : `${leaders.join(" and ")} only`}`;
}

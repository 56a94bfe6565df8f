import { expect, it } from "vitest";
import { type ObjectId, type RefValue, refName, valueFromLatin1 } from "../../src/domain.ts";
import { type RefChanges, RefHistory } from "../../src/sync/device/ref-history.ts";

const A = "a".repeat(40) as ObjectId;
const B = "b".repeat(40) as ObjectId;

const changes = (refs: Record<string, RefValue | null>): RefChanges =>
  new Map(Object.entries(refs).map(([name, value]) => [refName(`refs/heads/${name}`), value]));

/** Returns a history at version 5, and moves it on as a sidecar moves a replica on. */
function begun() {
  const history = new RefHistory();
  history.arrive(5n);
  const mark = history.markOf(5n);
  const move = (to: bigint, refs: Record<string, RefValue | null>) => {
    history.doubt();
    history.advance(to - 1n, to, changes(refs));
    history.arrive(to);
  };
  return { history, mark, move };
}

it("tells what differs between a mark and a version, as of that version", () => {
  const { history, mark, move } = begun();
  expect(history.since(mark, 5n)).toEqual(changes({}));
  move(6n, { main: A, topic: A });
  move(7n, { main: B, topic: null });
  move(8n, { other: A });
  expect(history.since(mark, 6n)).toEqual(changes({ main: A, topic: A }));
  expect(history.since(mark, 8n)).toEqual(changes({ main: B, topic: null, other: A }));
  expect(history.since(history.markOf(7n), 8n)).toEqual(changes({ other: A }));
  expect(history.since(history.markOf(8n), 7n)).toBeUndefined();
  expect(history.since(mark, 9n)).toBeUndefined();
});

it("knows nothing of what was before a doubt, even if the replica comes back to the same version", () => {
  const { history, mark, move } = begun();
  history.doubt();
  history.arrive(5n);
  expect(history.since(mark, 5n)).toBeUndefined();
  const again = history.markOf(5n);
  move(6n, { main: A });
  expect(history.since(again, 6n)).toEqual(changes({ main: A }));
  history.doubt();
  history.advance(undefined, 7n, changes({ main: B }));
  expect(history.since(again, 7n)).toBeUndefined();
});

it("knows nothing of what was before a version that came by unknown changes", () => {
  const { history, mark } = begun();
  history.advance(6n, 7n, changes({ main: A }));
  history.arrive(7n);
  expect(history.since(mark, 7n)).toBeUndefined();
  const later = history.markOf(7n);
  history.arrive(9n);
  expect(history.since(later, 9n)).toBeUndefined();
});

it("does not tell of symbolic refs, with which other refs change", () => {
  const { history, mark, move } = begun();
  move(6n, { alias: valueFromLatin1("ref: refs/heads/main") });
  move(7n, { alias: A });
  expect(history.since(mark, 7n)).toBeUndefined();
  expect(history.since(history.markOf(6n), 7n)).toEqual(changes({ alias: A }));
});

it("takes no mark but its own", () => {
  const { history } = begun();
  const other = begun();
  for (const mark of ["new", "", other.mark, "x:5", `${history.markOf(5n)}x`])
    expect(history.since(mark, 5n)).toBeUndefined();
});

it("forgets the oldest changes when it has many, and all when nobody asks", () => {
  const { history, mark, move } = begun();
  let version = 5n;
  for (let count = 0; count < 100; count += 1) {
    version += 1n;
    move(version, { a: A, b: A, c: A, d: A });
  }
  expect(history.since(mark, version)).toBeUndefined();
  expect(history.since(history.markOf(version - 50n), version)).toEqual(changes({ a: A, b: A, c: A, d: A }));
  const unasked = history.markOf(version);
  for (let count = 0; count < 300; count += 1) {
    version += 1n;
    move(version, {});
  }
  expect(history.since(unasked, version)).toBeUndefined();
  const asked = history.markOf(version);
  move(version + 1n, { a: B });
  expect(history.since(asked, version + 1n)).toEqual(changes({ a: B }));
});

it("tells no more changes than one answer should have", () => {
  const { history, mark, move } = begun();
  const many = (prefix: string) =>
    Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`${prefix}${index}`, A]));
  move(6n, many("a"));
  expect(history.since(mark, 6n)?.size).toBe(40);
  move(7n, many("b"));
  expect(history.since(mark, 7n)).toBeUndefined();
});

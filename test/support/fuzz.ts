// Generated inputs for the tests called fuzz-*: few and always the same in a usual run, many and new ones when asked.
import fc from "fast-check";

const asked = Number(process.env.LOCKSTEP_FUZZ_RUNS ?? 0);

/** Returns the parameters of fast-check: `runs` inputs of one seed, or LOCKSTEP_FUZZ_RUNS inputs of a new seed. */
export function fuzz(runs = 300): fc.Parameters<unknown> {
  return asked > 0 ? { numRuns: asked } : { numRuns: runs, seed: 20_261_129 };
}

/** How many inputs a test takes that cannot use fast-check's runs: `few`, or LOCKSTEP_FUZZ_RUNS. */
export const fuzzCount = (few: number): number => (asked > 0 ? asked : few);

/** Bytes of any value. */
export const bytes = (maxLength = 200): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength }).map((each) => Buffer.from(each));

/** Characters that mean something to some parser, with some that mean nothing. */
const SPECIAL = [..."\0\n\r\t\x1b \"'`\\/.:;,?*%#@&=+-_~^[]{}()<>|!$0aZé日\u202e\ud800\u{1f600}"];

/** A text that no person would type. */
export const oddText = (maxLength = 60): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ maxLength }),
    fc.string({ maxLength, unit: "binary" }),
    fc.string({ maxLength, unit: fc.constantFrom(...SPECIAL) }),
    fc.constantFrom(
      "",
      "__proto__",
      "constructor",
      "toString",
      "-1",
      "1e999",
      "NaN",
      "../../etc/passwd",
      "x".repeat(5_000),
    ),
  );

/** A text of these parts, mostly near to what is right. */
export const textOf = (...parts: readonly (string | fc.Arbitrary<string>)[]): fc.Arbitrary<string> => {
  const given = parts.map((part) => (typeof part === "string" ? fc.constant(part) : part));
  return fc.array(fc.oneof(...given), { maxLength: 12 }).map((each) => each.join(""));
};

/** Cuts bytes into pieces. `cuts` are parts of the whole between 0 and 1. */
export function split(whole: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => Math.floor(cut * whole.length)).sort((a, b) => a - b), whole.length];
  return places.slice(1).map((end, index) => whole.subarray(places[index], end));
}

/** Where to cut. */
export const cuts: fc.Arbitrary<number[]> = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });

/** Returns what `act` returns, or the error with which it ends. */
export function outcome<T>(act: () => T): { value: T; error?: never } | { value?: never; error: unknown } {
  try {
    return { value: act() };
  } catch (error) {
    return { error };
  }
}

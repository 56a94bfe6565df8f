import { describe, expect, it } from "vitest";
import { toLatin1 } from "../../src/domain.ts";
import { FLUSH, packet } from "../../src/framing/pkt-line.ts";
import { ProcReceive, type PushCommands } from "../../src/hook/proc-receive.ts";
import { limitsOf, refuseTooMany } from "../../src/hook/push-limits.ts";

const MIB = 1 << 20;

/** Hands a push of these refs over, as git does. */
function handOver(limit: string | undefined, names: readonly string[]): { pushed: PushCommands; refuse: () => void } {
  const limits = limitsOf(new Map(limit === undefined ? [] : [["LOCKSTEP_PUSH_REFS", limit]]));
  const conversation = new ProcReceive(() => {}, limits);
  conversation.push(Buffer.concat([packet("version=1\0atomic"), FLUSH]));
  for (const name of names) conversation.push(packet(`${"1".repeat(40)} ${"0".repeat(40)} ${name}\n`));
  const pushed = conversation.push(FLUSH)!;
  const kept = pushed.updates.length;
  return { pushed, refuse: () => refuseTooMany(limits, { kept, dropped: pushed.dropped, held: 0 }) };
}

const refs = (count: number, length = 1) =>
  Array.from({ length: count }, (_, index) => `refs/heads/${index}${"x".repeat(length)}`);

describe("the commands of a push", () => {
  it.each([
    ["as many as the limit are kept", "3", 3, 3, undefined],
    ["of more only as many as the limit are kept, and all are counted", "3", 5, 3, /changes 5 refs.* takes 3 at once/],
    ["any number is kept where the limit is 0", "0", 5, 5, undefined],
    ["any number is kept where there is no limit", undefined, 5, 5, undefined],
  ])("%s", (_, limit, count, kept, refusal) => {
    const { pushed, refuse } = handOver(limit, refs(count));
    expect(pushed.updates.map(({ name }) => name)).toEqual(refs(count).slice(0, kept));
    expect(pushed.dropped).toBe(count - kept);
    if (refusal) expect(refuse).toThrow(refusal);
    else expect(refuse).not.toThrow();
  });

  it("are kept up to 16 MiB, however few they are", () => {
    const { pushed, refuse } = handOver("50000", refs(500, 60_000));
    const bytes = pushed.updates.reduce((sum, { name }) => sum + toLatin1(name).length, 0);
    expect(bytes).toBeGreaterThan(15 * MIB);
    expect(bytes).toBeLessThan(16 * MIB);
    expect(pushed.dropped).toBe(500 - pushed.updates.length);
    expect(refuse).toThrow("need more than 16 MiB");
    const { pushed: all } = handOver("50000", refs(200, 60_000));
    expect(all).toMatchObject({ dropped: 0, updates: { length: 200 } });
  });
});

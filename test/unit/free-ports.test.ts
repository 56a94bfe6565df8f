// The ports that a demo and the tests choose for their servers.
import { describe, expect, it } from "vitest";
import { claimBlock, freePorts } from "../../src/demo/ports.ts";

describe("free ports", () => {
  it("are all different, also when calls overlap and need more than one block", async () => {
    const ports = (await Promise.all([freePorts(20), freePorts(1), freePorts(20)])).flat();
    expect(new Set(ports).size).toBe(41);
  });

  it("come from a block that no other claim has, even before their servers listen", async () => {
    const mine = await claimBlock(700);
    const theirs = await claimBlock(700);
    expect(mine).toHaveLength(31);
    expect(theirs).toHaveLength(31);
    expect(new Set([...mine, ...theirs]).size).toBe(62);
  });
});

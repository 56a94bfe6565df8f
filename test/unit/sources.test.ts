import { describe, expect, it } from "vitest";
import { chooseSources } from "../../src/sync/objects/sources.ts";

describe("the order of sources", () => {
  const row = (device: string, version: bigint, zone: string, more = {}) => ({
    device,
    version,
    zone,
    state: "active" as const,
    lastError: null,
    updatedAt: new Date(),
    live: true,
    awaySince: null,
    scrub: null,
    scrubbedAt: null,
    wanted: true,
    gitAddress: `${device}:1`,
    sshAddress: "",
    sshUser: "",
    ...more,
  });
  const me = { me: { device: "me", id: "", fence: 1n }, zone: "here" };
  const order = (rows: ReturnType<typeof row>[], request: { writers?: string[]; prefer?: string } = {}) =>
    chooseSources(me, rows, { version: 7n, writers: request.writers ?? [], prefer: request.prefer }).map(
      ({ device }) => device,
    );

  it("begins with the one that was named, then leaders, then the own zone", () => {
    const rows = [
      row("far", 6n, "there"),
      row("near", 6n, "here"),
      row("leader", 7n, "there"),
      row("best", 8n, "here"),
    ];
    expect(order(rows)).toEqual(["best", "leader", "near", "far"]);
    expect(order(rows, { prefer: "far" })).toEqual(["far", "best", "leader", "near"]);
  });

  it("counts the writers as leaders, also when their rows show an older version", () => {
    const rows = [row("follower", 6n, "here"), row("writer", 6n, "there")];
    expect(order(rows, { writers: ["writer"] })).toEqual(["writer", "follower"]);
  });

  it("leaves out this device and devices that are down", () => {
    const rows = [
      row("me", 7n, "here"),
      row("down", 7n, "here", { live: false }),
      row("mute", 7n, "", { gitAddress: "" }),
    ];
    expect(order(rows)).toEqual([]);
  });

  it("has devices that can be asked over ssh only", () => {
    expect(order([row("ssh", 7n, "", { gitAddress: "", sshAddress: "ssh:22" })])).toEqual(["ssh"]);
  });

  it("the order of sources is by chance among equals", () => {
    const rows = [row("one", 7n, "here"), row("two", 7n, "here")];
    const firsts = new Set(Array.from({ length: 200 }, () => order(rows)[0]));
    expect(firsts).toEqual(new Set(["one", "two"]));
  });
});

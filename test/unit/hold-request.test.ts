import { describe, expect, it } from "vitest";
import { refName, valueFromLatin1 } from "../../src/domain.ts";
import { HoldPlaces } from "../../src/git-port/hold-places.ts";
import { checkedHold, holdRequests } from "../../src/sync/copies/hold-request.ts";
import { LIMITS } from "../support/limits.ts";

const REPOSITORY = "0b0a1c2d-3e4f-4a5b-8c6d-7e8f90a1b2c3";
const id = (number: number) => number.toString(16).padStart(40, "0");
const ids = (count: number, from = 1) => Array.from({ length: count }, (_, index) => id(from + index));

describe("a request for copies", () => {
  it("names 1,000 objects at most", () => {
    const body = { repositoryId: REPOSITORY, haves: [], refs: [] };
    expect(checkedHold({ ...body, wants: ids(1_000) }).wants).toHaveLength(1_000);
    expect(() => checkedHold({ ...body, wants: ids(1_001) })).toThrow(/at most 1000 objects/);
  });

  it("names 10,000 objects and refs on which they build at most", () => {
    const body = {
      repositoryId: REPOSITORY,
      wants: ids(1),
      haves: ids(10_000),
      refs: Array(10_000).fill("refs/heads/a"),
    };
    expect(checkedHold(body).haves).toHaveLength(10_000);
    expect(() => checkedHold({ ...body, haves: ids(10_001) })).toThrow(/ask several times/);
    expect(() => checkedHold({ ...body, refs: Array(10_001).fill("refs/heads/a") })).toThrow(/ask several times/);
  });

  it("keeps an object once that it names often", () => {
    const wants = Array(900).fill(id(7));
    expect(checkedHold({ repositoryId: REPOSITORY, wants, haves: [], refs: [] }).wants).toEqual([id(7)]);
  });

  it("becomes several for a push of many refs, none of which names an object again", () => {
    const updates = ids(2_500).map((newValue, index) => ({
      name: refName(`refs/heads/${index}`),
      oldValue: index === 0 ? valueFromLatin1(id(9_999)) : null,
      // Every second ref has the value of the first one.
      newValue: valueFromLatin1(index % 2 === 0 ? newValue : id(1)),
    }));
    const requests = holdRequests(REPOSITORY, updates);
    expect(requests.map(({ wants }) => wants.length)).toEqual([500, 500, 250]);
    expect(new Set(requests.flatMap(({ wants }) => wants)).size).toBe(1_250);
    expect(requests[0]).toMatchObject({ haves: [id(9_999)], refs: ["refs/heads/0"] });
    expect(requests[1]?.haves).toEqual(requests[0]?.wants);
    for (const each of requests) expect(() => checkedHold(each)).not.toThrow();
  });
});

describe("the requests of one device for copies", () => {
  it("are 100 at once; those of another device are not counted with them", () => {
    const places = new HoldPlaces("repo001", LIMITS.portLimits.copies);
    const taken = Array.from({ length: 100 }, () => places.take("repo002"));
    expect(() => places.take("repo002")).toThrow(/makes 100 copies for repo002 already/);
    places.take("repo003");
    taken[0]?.[Symbol.dispose]();
    places.take("repo002");
    expect(() => places.take("repo002")).toThrow();
  });
});

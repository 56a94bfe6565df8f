import { expect, it } from "vitest";
import { checkReplicaStates, HELD, isServed, type Move, REPLICA_MOVES } from "../../src/replica-states.ts";

const without = (statement: string) => REPLICA_MOVES.filter((move) => move.statement !== statement);

it("the table of replica states does not contradict itself", () => {
  expect(() => checkReplicaStates()).not.toThrow();
});

it("a state that no move reaches or leaves is refused", () => {
  expect(() => checkReplicaStates(without("releaseReplica"))).toThrow("nothing leads to released");
  expect(() => checkReplicaStates(REPLICA_MOVES.filter(({ from }) => from !== "destroyed"))).toThrow(
    "nothing leads out of destroyed",
  );
});

it("a copy that another device gives up is refused", () => {
  const move: Move = { from: "active", to: "released", by: "operator", statement: "x", when: "" };
  expect(() => checkReplicaStates([...REPLICA_MOVES, move])).toThrow(
    "x gives up a copy that is active for another device",
  );
});

it("a move that changes nothing is refused", () => {
  const move: Move = { from: "active", to: "active", by: "own", statement: "x", when: "" };
  expect(() => checkReplicaStates([...REPLICA_MOVES, move])).toThrow("x leaves active as it is");
});

it("only replicas that count as copies are served", () => {
  expect(HELD).toBe("('pending', 'active', 'broken')");
  expect(
    [null, "pending", "active", "broken", "released", "destroyed"].map((state) => isServed(state as never)),
  ).toEqual([...[false, true, true, true, false, false]]);
});

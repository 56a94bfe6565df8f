import { describe, expect, it } from "vitest";
// @ts-expect-error: a plain program, which runs without a build.
import { findFaults, findUnused, readRooms } from "../../scripts/rooms.mjs";

const PAGE = "Text.\n\n```rooms\ntop: middle, low/*\nmiddle: low\nlow:\nlow/deep: ground\nground:\n```\n";

function faultsOf(imports: Record<string, string[]>): string[] {
  return findFaults(readRooms(PAGE), new Map(Object.entries(imports)));
}

describe("the check of the rooms", () => {
  it("accepts imports that the list names, within a room too", () => {
    expect(faultsOf({ "top/a.ts": ["top/b.ts", "middle/m.ts", "low/deep/d.ts"], "top/b.ts": [] })).toEqual([]);
  });

  it("refuses an import that the list does not name", () => {
    expect(faultsOf({ "middle/m.ts": ["errors.ts"] })).toEqual([
      "middle/m.ts imports errors.ts, but middle may not import ground.",
    ]);
  });

  it("refuses an import from below", () => {
    expect(faultsOf({ "low/l.ts": ["top/a.ts"] })).toEqual(["low/l.ts imports top/a.ts, but low may not import top."]);
  });

  it("refuses a circle of files within a room", () => {
    expect(faultsOf({ "top/a.ts": ["top/b.ts"], "top/b.ts": ["top/a.ts"] })).toEqual([
      "These files import each other in a circle: top/a.ts → top/b.ts → top/a.ts.",
    ]);
  });

  it("refuses a file that lies in no room of the list", () => {
    expect(faultsOf({ "attic/a.ts": [] })).toEqual(["attic/a.ts lies in no room of the list."]);
  });

  it("refuses a room with more than twelve files, unless it is a list such as the handlers of RPCs", () => {
    const files = (count: number) =>
      new Map(Array.from({ length: count }, (_, index) => [`sync/read/${index}.ts`, []]));
    const rooms = readRooms("```rooms\nsync/read:\n```\n");
    expect(findFaults(rooms, files(12))).toEqual([]);
    expect(findFaults(rooms, files(13))).toEqual([
      "sync/read has 13 files; a room has at most 12. Divide it by subject.",
    ]);
    const handlers = [...files(13)].map(([, none], index): [string, never[]] => [`rpc/handlers/${index}.ts`, none]);
    expect(findFaults(readRooms("```rooms\nrpc/handlers:\n```\n"), new Map(handlers))).toEqual([]);
  });

  it("refuses more than twelve files at the top of src/, those that are rooms of their own among them", () => {
    const files = (count: number) =>
      new Map(
        Array.from({ length: count }, (_, index): [string, never[]] => [index === 0 ? "main.ts" : `${index}.ts`, []]),
      );
    const rooms = readRooms("```rooms\nmain.ts: ground\nground:\n```\n");
    expect(findFaults(rooms, files(12))).toEqual([]);
    expect(findFaults(rooms, files(13))).toEqual([
      "The top of src/ has 13 files; a room has at most 12. Divide it by subject.",
    ]);
  });

  it("refuses an entry of the list that no import needs", () => {
    const imports = new Map([["top/a.ts", ["low/deep/d.ts", "middle/m.ts"]]]);
    expect([...findUnused(readRooms(PAGE), imports)]).toEqual([
      "The list of rooms lets middle import low, and no file does. Take it off the list.",
      "The list of rooms lets low/deep import ground, and no file does. Take it off the list.",
    ]);
  });

  it("refuses a list that lets a room import one above it", () => {
    const rooms = readRooms("```rooms\ntop:\nlow: top\n```\n");
    expect(findFaults(rooms, new Map())).toEqual(["The list of rooms lets low import top, which is not below it."]);
  });
});

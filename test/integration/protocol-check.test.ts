// scripts/protocol.mjs in a copy of the project that has the protocol only.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");
const hasBuf = existsSync(join(ROOT, "node_modules", "@bufbuild", "buf"));
let copy: string;

beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), "lockstep-protocol-"));
  for (const name of ["buf.yaml", "proto", "scripts/protocol.mjs"])
    cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
});
afterEach(() => rmSync(copy, { recursive: true }));

function protocol(...args: string[]) {
  const { status, stderr } = spawnSync(process.execPath, [join(copy, "scripts", "protocol.mjs"), ...args], {
    encoding: "utf8",
    env: { ...process.env, HOME: copy },
  });
  return { status, stderr };
}

function change(from: string, to: string): void {
  const file = join(copy, "proto", "lockstep", "v1", "sync.proto");
  const text = readFileSync(file, "utf8");
  expect(text).toContain(from);
  writeFileSync(file, text.replace(from, to));
}

const landed = () => readFileSync(join(copy, "proto", "landed.txtpb"), "utf8");

describe.skipIf(!hasBuf)("the check of the protocol", () => {
  it("passes the protocol as it is, and a new field, which is kept when it has landed", () => {
    expect(protocol("--check")).toEqual({ status: 0, stderr: "" });
    change(
      "message GetVersionRequest { string repository = 1; }",
      "message GetVersionRequest { string repository = 1; bool brief = 2; }",
    );
    expect(protocol("--check")).toEqual({ status: 0, stderr: "" });
    expect(landed()).not.toContain('"brief"');
    expect(protocol().status).toBe(0);
    expect(landed()).toContain('"brief"');
  });

  it.each([
    ["a field with another number", "string commit = 3;", "string commit = 9;"],
    ["a field with another type", "uint64 min_version = 2;", "string min_version = 2;"],
    ["an RPC that is gone", "  rpc GetWrite(GetWriteRequest) returns (GetWriteResponse);", ""],
  ])("refuses %s, keeps what has landed, and says what to do", (_, from, to) => {
    const before = landed();
    change(from, to);
    const { status, stderr } = protocol();
    expect(status).toBe(1);
    expect(stderr).toMatch(/sync\.proto.*breaks clients/s);
    expect(landed()).toBe(before);
  });

  it("refuses what the style does not allow", () => {
    change("bool for_push = 5;", "bool forPush = 5;");
    expect(protocol("--check")).toMatchObject({ status: 1, stderr: expect.stringMatching(/lower_snake_case/) });
  });
});

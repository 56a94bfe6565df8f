import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { err } from "../../src/io/log-lines.ts";
import { inSources } from "../../src/io/stacks.ts";

let dir: string;
let bundled: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "lockstep-stacks-"));
  const path = join(dir, "main.js");
  bundled = pathToFileURL(path).href;
  // Line 2, column 5 of the bundle is line 7, column 3 of the source.
  writeFileSync(
    `${path}.map`,
    JSON.stringify({ version: 3, sources: ["src/io/disk.ts"], names: [], mappings: ";IAME" }),
  );
});
afterAll(() => rmSync(dir, { recursive: true }));

describe("a stack", () => {
  it("names the file and the line of the source where a source map tells them", () => {
    const stack = `Error: full\n    at sync (${bundled}:2:5)\n    at ${bundled}:2:9\n    at node:fs:1:1`;
    const source = join(dir, "src/io/disk.ts");
    expect(inSources(stack)).toBe(`Error: full\n    at sync (${source}:7:3)\n    at ${source}:7:3\n    at node:fs:1:1`);
  });

  it("stays as it is without a source map, or without an entry for that line", () => {
    const stack = `Error: full\n    at ${bundled}:1:1\n    at file:///no/such.js:1:1`;
    expect(inSources(stack)).toBe(stack);
  });

  it("is translated in the field `err` of a log line, and a text there stays a text", () => {
    const error = new Error("full");
    error.stack = `Error: full\n    at ${bundled}:2:5`;
    expect(err(error)).toMatchObject({ type: "Error", message: "full", stack: expect.stringContaining("disk.ts:7:3") });
    expect(err("full")).toBe("full");
  });
});

import { describe, expect, it } from "vitest";
import { checkTexts } from "../../src/rpc/call/texts.ts";

const long = (length: number) => "x".repeat(length);

describe("a text in a request", () => {
  it.each([
    ["author", 200],
    ["reason", 200],
    ["writeId", 200],
    ["url", 2_000],
    ["cursor", 4_000],
    ["secret", 1_000],
  ])("named %s has at most %i characters", (field, limit) => {
    expect(() => checkTexts({ [field]: long(limit) })).not.toThrow();
    expect(() => checkTexts({ [field]: long(limit + 1) })).toThrow(
      new RegExp(`^The ${field === "writeId" ? "write id" : field} has at most ${limit} characters; shorten it.$`),
    );
  });

  it("is found in lists and in inner messages too", () => {
    expect(() => checkTexts({ repositories: ["a", long(201)] })).toThrow(/^The repositories has at most 200/);
    expect(() => checkTexts({ access: { repositories: [long(201)] } })).toThrow(/at most 200/);
  });

  it("a text in a request has no NUL character", () => {
    expect(() => checkTexts({ author: "a\0b" })).toThrow(/^The author has a NUL character/);
  });

  it("a text in a request that names a repository has the error of names", () => {
    for (const field of ["repository", "newName"]) {
      expect(() => checkTexts({ [field]: long(200) })).not.toThrow();
      expect(() => checkTexts({ [field]: long(201) })).toThrow(/^The repository name .* is longer than 200 characters/);
    }
    expect(() => checkTexts({ repository: "" })).not.toThrow();
  });

  it("is not bytes, a number or a flag", () => {
    expect(() => checkTexts({ name: Buffer.alloc(5_000), count: 7, yes: true, none: null })).not.toThrow();
  });
});

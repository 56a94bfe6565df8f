import { expect, it } from "vitest";
import { EXIT, runHere } from "../support/command-line.ts";

it.each([[["thaw"]], [["sync"]], [["command", "list"]], [["repo", "restore"]]])(
  "the help of %j names no empty default",
  async (command) => {
    const { code, stdout } = await runHere([...command, "--help"]);
    expect({ code, lines: stdout.match(/\(default: (?:""|\[\])\)/g) }).toEqual({ code: EXIT.OK, lines: null });
  },
);

it.each(["serve", "gate"])("the help of %s, which prints no document, does not offer --json", async (command) => {
  expect((await runHere([command, "--help"])).stdout).not.toContain("--json");
  const { code, stdout } = await runHere([command, "--json"]);
  expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: EXIT.USAGE, error: { code: "USAGE" } });
});

it("the help of a command that prints offers --json", async () => {
  expect((await runHere(["status", "--help"])).stdout).toContain("--json");
});

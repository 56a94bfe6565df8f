// The question at the terminal before a command does what it has shown.
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import type { Run } from "../../src/cli/terminal/command.ts";
import { askForYes } from "../../src/cli/terminal/confirm.ts";
import { ExitCode } from "../../src/errors.ts";

/** Types at a terminal, and returns what the question said, and its error. */
async function typed(line: string, { isTTY = true, json = false, ends = "\n" } = {}) {
  const stdin = Object.assign(new PassThrough(), { isTTY, setRawMode: () => {} });
  // Only with a terminal as its output, readline looks at single keys.
  const stderr = Object.assign(new PassThrough(), { isTTY: ends === "" });
  if (ends === "") stdin.write(line);
  else stdin.end(`${line}${ends}`);
  const host = { stdin, stderr, stop: new AbortController().signal };
  const error = await askForYes({ host, json } as unknown as Run, "Remove this device?").then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  stderr.end();
  return { said: await text(stderr), error };
}

describe("the question for a yes", () => {
  it("is answered by yes, and by nothing else", async () => {
    expect(await typed("yes")).toEqual({ said: "\nRemove this device? Type yes: ", error: undefined });
    for (const other of ["y", "no", "", "yes!"])
      expect(await typed(other)).toEqual({
        said: "\nRemove this device? Type yes: Nothing was changed.\n",
        error: expect.objectContaining({ exitCode: ExitCode.FAILED }),
      });
  });

  it.each([
    ["Ctrl-C", "\x03"],
    ["Ctrl-D", "\x04"],
  ])("is answered with no by %s", async (_key, pressed) => {
    const { said, error } = await typed(pressed, { ends: "" });
    expect(said).toContain("\nNothing was changed.\n");
    expect(error).toMatchObject({ exitCode: ExitCode.FAILED });
  });

  it("is asked neither with --json nor where there is no terminal, and nothing is done", async () => {
    expect(await typed("yes", { json: true })).toMatchObject({ said: "", error: { exitCode: ExitCode.NOT_NOW } });
    expect(await typed("yes", { isTTY: false })).toMatchObject({ said: "", error: { code: "USAGE" } });
  });
});

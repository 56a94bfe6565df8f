// Which packs may be shared, and what their keys depend on.
import { describe, expect, it } from "vitest";
import { keyOf, type PackRequest, readPackRequest } from "../../src/pack-cache/pack-request.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);
const CLONE = `${A}\n--not\n\n`;
/** As git 2.39 starts its hook. */
const COMMAND = ["git", "pack-objects", "--revs", "--thin", "--stdout", "--progress", "--delta-base-offset"];

const read = (command: readonly string[], input = CLONE) => readPackRequest(command, Buffer.from(input, "latin1"));
const key = (request: PackRequest | undefined, repository = "1", tagsAt = 5) => keyOf(request!, repository, tagsAt);

describe("a request for a pack", () => {
  it("is read as git makes it", () => {
    expect(read(COMMAND)).toMatchObject({ args: COMMAND.slice(1), isClone: true, includesTags: false });
    expect(read(COMMAND, `${A}\n--not\n${B}\n\n`)).toMatchObject({ isClone: false });
    const shallow = ["git", "--shallow-file", "", "pack-objects", "--revs", "--stdout", "--shallow", "--include-tag"];
    expect(read(shallow, `--shallow ${B}\n${CLONE}`)).toMatchObject({ args: shallow.slice(3), includesTags: true });
    expect(read([...COMMAND, "--filter=blob:limit=1024"])).toMatchObject({ isClone: true });
    expect(read(COMMAND, `${"a".repeat(64)}\n--not\n\n`)).toBeDefined();
  });

  it.each([
    ["another program", ["sh", ...COMMAND.slice(1)]],
    ["another command of git", ["git", "upload-archive", "--revs", "--stdout"]],
    ["a command that writes a file", ["git", "pack-objects", "--revs", "--stdout", "/tmp/file"]],
    ["a command without --stdout", ["git", "pack-objects", "--revs"]],
    ["settings before the command", ["git", "-c", "pack.window=0", ...COMMAND.slice(1)]],
    ["a shallow file of its own", ["git", "--shallow-file", "/tmp/x", ...COMMAND.slice(1)]],
    ["all refs", [...COMMAND, "--all"]],
    ["reflogs", [...COMMAND, "--reflog"]],
    ["a filter by a name", [...COMMAND, "--filter=sparse:oid=main:filter"]],
    ["a flag that is not known", [...COMMAND, "--uri-protocol=https"]],
    ["nothing", []],
  ])("is left to the client's git if it has %s", (_, command) => {
    expect(read(command)).toBeUndefined();
  });

  it.each([
    ["the name of a ref", "refs/heads/main\n--not\n\n"],
    ["an option", `--all\n--not\n${A}\n`],
    ["a range", `${A}..${B}\n`],
    ["a line that does not end", A],
    ["part of an id", `${A.slice(1)}\n`],
  ])("is left to the client's git if its input has %s", (_, input) => {
    expect(read(COMMAND, input)).toBeUndefined();
  });
});

describe("the key of a pack", () => {
  it("is the same for the same request", () => {
    expect(key(read(COMMAND))).toBe(key(read([...COMMAND])));
  });

  it.each<[string, string]>([
    ["the objects that the client has", key(read(COMMAND, `${A}\n--not\n${B}\n\n`))],
    ["the wanted objects", key(read(COMMAND, `${B}\n--not\n\n`))],
    ["the flags", key(read(COMMAND.filter((flag) => flag !== "--thin")))],
    ["a filter", key(read([...COMMAND, "--filter=blob:none"]))],
    ["the repository", key(read(COMMAND), "2")],
  ])("differs with %s", (_, other) => {
    expect(other).not.toBe(key(read(COMMAND)));
  });

  it("differs with the tags only for a client that asks for tags", () => {
    const tags = [...COMMAND, "--include-tag"];
    expect(key(read(tags), "1", 6)).not.toBe(key(read(tags), "1", 5));
    expect(key(read(COMMAND), "1", 6)).toBe(key(read(COMMAND), "1", 5));
  });
});

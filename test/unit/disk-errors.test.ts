import { expect, it } from "vitest";
import { notStartedError } from "../../src/git/git-error.ts";
import { diskError } from "../../src/io/disk-errors.ts";

const error = (facts: Partial<NodeJS.ErrnoException>) => Object.assign(new Error(`it is ${facts.code}`), facts);

it.each([
  [{ code: "EAGAIN", syscall: "spawn git", path: "git" }, "PREREQUISITE_MISSING", "lacks memory or processes"],
  [{ code: "ENOMEM", syscall: "spawn git" }, "PREREQUISITE_MISSING", "lacks memory or processes"],
  [{ code: "EMFILE" }, "PREREQUISITE_MISSING", "Too many files are open"],
  [{ code: "ENOENT", syscall: "spawn git", path: "git" }, "REPLICA_IN_DOUBT", "or git is not installed any more"],
])("a git that could not be started with %j is told of as %s: %s", (facts, code, words) => {
  expect(notStartedError(error(facts))).toMatchObject({ code, message: expect.stringContaining(words) });
});

it("an error of a connection is none of the disk or the machine", () => {
  for (const code of ["EAGAIN", "ECONNRESET", "ENOENT"]) expect(diskError(error({ code }))).toBeUndefined();
});

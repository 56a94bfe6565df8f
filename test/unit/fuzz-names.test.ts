// Generated names, addresses and words of ssh.
import { join, relative } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { nameOf } from "../../src/hook/hello.ts";
import { hookUrl, originOf, shownUrl } from "../../src/io/hook-url.ts";
import { deviceName, repositoryName } from "../../src/names.ts";
import { parseSshCommand } from "../../src/shim/ssh-command.ts";
import { parsePublicKey } from "../../src/ssh/public-key.ts";
import { parseRequest } from "../../src/ssh/request.ts";
import { readCursor, writeCursor } from "../../src/sync/watch/cursor.ts";
import { checkPatterns } from "../../src/sync/watch/name-patterns.ts";
import { fuzz, oddText, outcome, textOf } from "../support/fuzz.ts";

const ROOT = "/srv/git";
const nearName = textOf("team", "a", "/", ".", "..", "-", "+", "_", ".git", ".lock", "git", "lock", oddText(2));
const name = fc.oneof(nearName, oddText(300));

/** Expects a repository of that name to lie below the root, and nowhere that git or Lockstep uses itself. */
function expectBelowRoot(found: string): void {
  const path = `${found}.git`;
  expect(relative(ROOT, join(ROOT, path))).toBe(path);
  expect(path.slice(0, -4)).not.toMatch(/(^|\/)\.|\.(git|lock)(\/|$)|\.\.|[^\w./+-]/);
}

it("any text is the name of a repository below the root, or an error of the table", () => {
  fc.assert(
    fc.property(name, (text) => {
      const { value, error } = outcome(() => repositoryName(text));
      if (value !== undefined) return void expectBelowRoot(value);
      expect(error).toMatchObject({ code: "INVALID_NAME", message: expect.stringMatching(/^.{20,300}$/s) });
    }),
    fuzz(1_000),
  );
});

const directory = fc.oneof(
  name,
  textOf("/srv/git", "/srv", "/", "..", "team/app.git", ".lockstep/removed/x", oddText(3)),
);

it("any directory that a shim names is a repository below the root, or an error of the table", async () => {
  await fc.assert(
    fc.asyncProperty(directory, async (dir) => {
      const found = await nameOf(ROOT, dir).catch((error: unknown) => ({ error }));
      if (typeof found === "string") return void expectBelowRoot(found);
      expect(found.error).toMatchObject({ code: expect.stringMatching(/^(INVALID_NAME|REPOSITORY_NOT_FOUND)$/) });
    }),
    fuzz(),
  );
});

it("any text is the name of a device that fits a certificate, or an error of the table", () => {
  fc.assert(
    fc.property(fc.oneof(textOf("a", "-", "0", oddText(2)), oddText(100)), (text) => {
      const { value, error } = outcome(() => deviceName(text));
      if (value !== undefined) return void expect(value).toMatch(/^(?!-)[a-z0-9-]{1,63}(?<!-)$/);
      expect(error).toMatchObject({ code: "INVALID_NAME" });
    }),
    fuzz(),
  );
});

it("any list of names and globs is taken as it is, or is an error of the table", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(textOf("*", "?", "team", "/", oddText(2)), name)), (patterns) => {
      const { value, error } = outcome(() => checkPatterns(patterns));
      if (value === undefined) expect(error).toMatchObject({ code: expect.stringMatching(/^INVALID_/) });
      else expect(value).toEqual(patterns);
    }),
    fuzz(),
  );
});

it("any cursor is one that was written, or an error of the table", () => {
  fc.assert(
    fc.property(textOf("1.", "-", ".", fc.bigInt({ min: 0n, max: 10n ** 19n }).map(String), oddText(3)), (text) => {
      const { value, error } = outcome(() => readCursor(text));
      if (value === undefined) return void expect(error).toMatchObject({ code: "INVALID_REQUEST" });
      const held = value.held.map((position) => ({ position })) as Parameters<typeof writeCursor>[1];
      const { position, held: again } = readCursor(writeCursor(value.position, held));
      expect(position).toBe(value.position);
      expect([...again].sort()).toEqual([...value.held].sort());
    }),
    fuzz(),
  );
});

const address = textOf("http://", "https://", "user:secret@", "host", ":1", "/p", "?q", "#f", "[::1]", oddText(4));

it("any URL of a hook can be shown without its password, or is an error of the table", () => {
  fc.assert(
    fc.property(address, (text) => {
      const { value, error } = outcome(() => hookUrl(text));
      if (value === undefined) return void expect(error).toMatchObject({ code: "INVALID_REQUEST" });
      expect(new URL(shownUrl(value)).password).toMatch(/^(\*\*\*)?$/);
      expect(originOf(value)).toMatch(/^https?:\/\/[^/@]+$/);
    }),
    fuzz(),
  );
});

const BLOB = Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from("ssh-ed25519"), Buffer.alloc(36, 7)]).toString(
  "base64",
);

it("any line is one key of ssh without a second line, or no key", () => {
  fc.assert(
    fc.property(textOf("ssh-ed25519 ", "ssh-rsa ", BLOB, "AAAA", " ", "\n", "=", oddText(4)), (line) => {
      const key = parsePublicKey(line);
      if (key === undefined) return;
      expect(`${key.type} ${key.base64}`).toMatch(/^[a-z0-9@.-]+ [A-Za-z0-9+/=]+$/);
      expect(line.trim()).not.toMatch(/[\r\n]/);
    }),
    fuzz(),
  );
});

const option = fc.constantFrom(
  "-p",
  "22",
  "-o",
  "SendEnv=GIT_PROTOCOL",
  "ProxyCommand=x",
  "-G",
  "-4",
  "-i",
  "--",
  "git@host",
  "-p0x10",
);

it("any arguments of ssh lead to a host and a port, or are an error of the table", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(option, oddText(10)), { maxLength: 8 }), (words) => {
      const { value, error } = outcome(() => parseRequest(words, {}));
      if (value === undefined)
        return void expect(error).toMatchObject({ code: expect.stringMatching(/^(USAGE|PERMISSION_DENIED)$/) });
      expect(value.host).not.toBe("");
      expect(value.port ?? 1).toBeGreaterThan(0);
    }),
    fuzz(),
  );
});

/** Quotes as git does for ssh (quote.c). */
const quoted = (text: string) => `'${text.replace(/['!]/g, "'\\$&'")}'`;

it("a directory that git quotes arrives as it was, and any other command of ssh is an error of the table", () => {
  const command = fc.constantFrom("upload-pack", "receive-pack");
  fc.assert(
    fc.property(command, oddText(100), fc.constantFrom(" ", "-"), (git, text, between) => {
      fc.pre(text !== "");
      expect(parseSshCommand(`git${between}${git} ${quoted(text)}`)).toEqual({ command: git, directory: text });
    }),
    fuzz(),
  );
  fc.assert(
    fc.property(
      textOf("git-", "git ", "upload-pack", "receive-pack", " ", "'", "\\'", "\\!", "a", ";", oddText(4)),
      (text) => {
        const { value, error } = outcome(() => parseSshCommand(text));
        if (value === undefined) return void expect(error).toMatchObject({ code: "PERMISSION_DENIED" });
        expect(value.directory).not.toBe("");
      },
    ),
    fuzz(),
  );
});

// The commands that reach another repository, byte for byte.
import { describe, expect, it } from "vitest";
import type { Asked } from "../../src/git/command/asked.ts";
import { gitCommand } from "../../src/git/command/build.ts";
import {
  CELLS,
  CREDENTIALS,
  cell,
  ID,
  pairs,
  programs,
  REFUSED,
  repository,
  TRANSPORTS,
} from "../support/git-command-cells.ts";

describe("a command that reaches another repository", () => {
  const objects = { GIT_OBJECT_DIRECTORY: "/srv/q", GIT_ALTERNATE_OBJECT_DIRECTORIES: '"/srv/app.git/objects"' };
  const fetch = { kind: "fetch", wants: [ID], objects, silentSeconds: 30 } as const;

  it.each(pairs)("over %s with the credential %s is these bytes, or refused by name", (transport, credential) => {
    const refused = REFUSED[transport][Object.keys(CREDENTIALS).indexOf(credential)]!;
    const listRefs = { kind: "ls-remote", silentSeconds: 30 } as const;
    if (refused !== "") {
      expect(() => cell(fetch, transport, credential)).toThrow(`git fetch: ${refused}.`);
      expect(() => cell(listRefs, transport, credential)).toThrow(`git ls-remote: ${refused}.`);
      return;
    }
    const { args, url, env } = CELLS[`${transport}, ${credential}`]!;
    expect(cell(fetch, transport, credential)).toStrictEqual({
      args: [
        ...args,
        ...["-c", "core.alternateRefsCommand=true", "-c", "core.fsync=all", "-c", "fetch.unpackLimit=1"],
        ...["fetch", "--progress", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"],
        ...["--no-recurse-submodules", "--stdin", "--", url],
      ],
      env: { ...env, ...objects, GIT_OBJECT_DIRECTORY: "../q" },
      input: `${ID}\n`,
    });
    expect(cell(listRefs, transport, credential)).toStrictEqual({ args: [...args, "ls-remote", "--", url], env });
  });

  it("covers each pair exactly once", () => {
    const cells = pairs.filter(
      ([transport, credential]) => REFUSED[transport][Object.keys(CREDENTIALS).indexOf(credential)] === "",
    );
    expect(cells.map((pair) => pair.join(", ")).sort()).toEqual(Object.keys(CELLS).sort());
  });

  it.each<[string, object, object, string]>([
    [
      "a user in an address",
      { ...TRANSPORTS["https to a device"], address: "ada:secret@h:1" },
      {},
      "no part of an address",
    ],
    ["a path in an address", { ...TRANSPORTS["https to a device"], address: "h:1/x" }, {}, "must be HOST or HOST:PORT"],
    [
      "a query in an address",
      { ...TRANSPORTS["https to a device"], address: "h:1?x" },
      {},
      "must be HOST or HOST:PORT",
    ],
    [
      "an option in an address",
      { ...TRANSPORTS["https to a device"], address: "-oProxyCommand=x" },
      {},
      "must be HOST",
    ],
    ["a name that climbs", TRANSPORTS["https to a device"], { name: "a/../../b" }, "is not plain"],
    ["a name with a line feed", TRANSPORTS["https to a device"], { name: "a\nb" }, "is not plain"],
    ["a name like an option", TRANSPORTS["https to a device"], { name: "--upload-pack=x" }, "is not plain"],
  ])("is refused with %s", (_, transport, other, why) => {
    const asked = {
      operation: fetch,
      repository: { ...repository, ...other },
      transport,
      credential: CREDENTIALS["as-device over https"],
    };
    expect(() => gitCommand(programs, asked as unknown as Asked)).toThrow(why);
  });

  it.each<[string, Record<string, string>]>([
    ["another variable than one of Lockstep", { GIT_SSH: "/bin/evil" }],
    ["a value that is no file", { LOCKSTEP_SSH_KEY: "-----BEGIN" }],
  ])("is refused over ssh with %s among the settings", (_, files) => {
    const asked = {
      operation: fetch,
      repository,
      transport: TRANSPORTS["ssh to a device"],
      credential: { ...CREDENTIALS["as-device over ssh"], files },
    };
    expect(() => gitCommand(programs, asked as Asked)).toThrow("must be a setting of Lockstep that names a file");
  });

  it.each<[string, string, string]>([
    ["a name and a port", "repo002:7421", "https://repo002:7421/team/app.git"],
    ["an IPv6 address", "[fd00::2]:7421", "https://[fd00::2]:7421/team/app.git"],
  ])("names %s behind --, as the last argument", (_, address, url) => {
    const transport = { ...TRANSPORTS["https to a device"], address };
    const credential = CREDENTIALS["as-device over https"];
    expect(gitCommand(programs, { operation: fetch, repository, transport, credential }).args.slice(-2)).toEqual([
      "--",
      url,
    ]);
  });
});

describe("no command", () => {
  const SECRET = /password|secret|token|BEGIN|Bearer|Basic/i;

  it("has a secret in its arguments or its environment: the credentials have only the names of files", () => {
    const commands = pairs.flatMap(([transport, credential]) => {
      try {
        return [cell({ kind: "fetch", wants: [ID], silentSeconds: 30 }, transport, credential)];
      } catch {
        return [];
      }
    });
    expect(commands).toHaveLength(Object.keys(CELLS).length);
    for (const { args, env } of commands) {
      expect(args.filter((each) => SECRET.test(each))).toEqual([]);
      expect(Object.entries(env).filter(([name, value]) => SECRET.test(name) || SECRET.test(value))).toEqual([]);
    }
  });
});

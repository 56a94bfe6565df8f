import { describe, expect, it } from "vitest";
import { here } from "../../src/git/command/build.ts";
import { LOCAL, type LocalArguments, USERS } from "../../src/git/command/operations.ts";
import {
  CREDENTIALS,
  cell,
  LOCAL_ENV,
  numbered,
  pairs,
  programs,
  SETTINGS,
  TRANSPORTS,
} from "../support/git-command-cells.ts";

describe("a command on a directory of this machine", () => {
  it.each(pairs)("over %s with the credential %s is these bytes, or refused by name", (transport, credential) => {
    const { transport: by } = TRANSPORTS[transport];
    const { credential: given } = CREDENTIALS[credential];
    for (const name of LOCAL) {
      const asked = () => cell({ kind: "local", args: [name, "--quiet"] }, transport, credential);
      if (by !== "file")
        expect(asked).toThrow(`git ${name}: it works on a directory of this machine, and not over ${by}.`);
      else if (given !== "none")
        expect(asked).toThrow(
          `git ${name}: it works on a directory of this machine and shows no credential (${given}).`,
        );
      else expect(asked()).toStrictEqual({ args: [name, "--quiet"], env: LOCAL_ENV });
    }
  });

  it("has the settings, the objects, the author, the hooks and the format of refs that it is given", () => {
    const objects = { GIT_OBJECT_DIRECTORY: "/srv/app.git/objects/q" };
    const author = { GIT_COMMITTER_NAME: "ada", GL_ID: "key-1", LD_PRELOAD: "/x", GIT_SSH_COMMAND: "x", PATH: "/x" };
    const operation = {
      kind: "local",
      args: ["update-ref", "--stdin"],
      settings: { "core.fsync": "none" },
      objects,
      author,
      hooks: { folder: "/srv/app.git/hooks" },
      refFormat: "reftable",
    } as const;
    expect(here(programs, operation, "/srv/app.git")).toStrictEqual({
      args: ["-c", "core.fsync=none", "update-ref", "--stdin"],
      env: {
        ...LOCAL_ENV,
        ...numbered([...SETTINGS.slice(0, -1), ["core.hooksPath", "/srv/app.git/hooks"]]),
        GIT_COMMITTER_NAME: "ada",
        GL_ID: "key-1",
        GIT_DEFAULT_REF_FORMAT: "reftable",
        GIT_OBJECT_DIRECTORY: "objects/q",
        GIT_DIR: "/srv/app.git",
      },
    });
    const configured = here(programs, { ...operation, hooks: "configured" }, "/srv/app.git");
    expect(configured.env).toMatchObject(numbered(SETTINGS.slice(0, -1)));
    expect(configured.env).not.toHaveProperty(`GIT_CONFIG_KEY_${SETTINGS.length - 1}`);
  });

  it.each<[string, readonly string[], string]>([
    ["a command that is not in the table", ["gc"], "this command is not in the table of operations"],
    ["a path before --", ["verify-pack", "/srv/p.idx"], "a path must stand behind --"],
  ])("is refused for %s", (_, args, why) => {
    const operation = { kind: "local", args: args as unknown as LocalArguments } as const;
    expect(() => here(programs, operation, "/srv/app.git")).toThrow(`git ${args[0]}: ${why}.`);
  });
});

describe("a command with the configuration of a person", () => {
  it.each(pairs)("over %s with the credential %s is these bytes, or refused by name", (transport, credential) => {
    const variables = {
      GIT_CONFIG_GLOBAL: "/home/ada/.gitconfig",
      GIT_AUTHOR_NAME: "Ada",
      GIT_SSH: "evil",
      EDITOR: "x",
    };
    for (const name of USERS) {
      const asked = () => cell({ kind: "user", args: [name, "--quiet"], variables }, transport, credential);
      if (transport === "file" && credential === "none")
        expect(asked()).toStrictEqual({
          args: [name, "--quiet"],
          env: {
            PATH: "/usr/bin",
            HOME: "/root",
            GIT_TERMINAL_PROMPT: "0",
            GIT_CONFIG_GLOBAL: "/home/ada/.gitconfig",
            GIT_AUTHOR_NAME: "Ada",
          },
        });
      else expect(asked).toThrow(`git ${name}: it works on a directory of this machine`);
    }
  });
});

// The commands that serve a client, byte for byte.
import { describe, expect, it } from "vitest";
import { here } from "../../src/git/command/build.ts";
import { cell, LOCAL_ENV, numbered, pairs, programs } from "../support/git-command-cells.ts";

describe("a command that serves", () => {
  const client = {
    kind: "client",
    address: "192.0.2.7",
    user: "ada",
    protocol: "version=2",
    requestId: "r-1",
    socketDir: "/run/lockstep",
    pushRefs: 50_000,
  } as const;
  const CLIENT_ENV = {
    PATH: "/usr/bin",
    HOME: "/root",
    LC_ALL: "C",
    GIT_COMMITTER_NAME: "ada",
    GIT_COMMITTER_EMAIL: "ada@http.192.0.2.7",
    REMOTE_ADDR: "192.0.2.7",
    REMOTE_USER: "ada",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_GRAFT_FILE: "",
    GIT_SHALLOW_FILE: "",
    GIT_NO_LAZY_FETCH: "1",
    ...numbered([
      ["core.useReplaceRefs", "false"],
      ["core.alternateRefsCommand", "true"],
    ]),
    LOCKSTEP_SOCKET_DIR: "/run/lockstep",
    LOCKSTEP_REQUEST_ID: "r-1",
    GIT_PROTOCOL: "version=2",
  };
  const SAFE = ["-c", "safe.directory=/srv/app.git"];
  const WHOLE = ["-c", "core.bigFileThreshold=1048576g"];
  const PUSH_LIMITS = { GIT_ALLOC_LIMIT: "1024m", LOCKSTEP_PUSH_REFS: "50000" };

  it("a push to the gate has the limit of objects that is asked for, or none", () => {
    const serve = { kind: "serve", service: "receive-pack", advertisement: false } as const;
    const asked = (pushObject: number) =>
      here(programs, { ...serve, client: { ...client, pushObject } }, "/srv/app.git");
    expect(asked(7).env.GIT_ALLOC_LIMIT).toBe("7m");
    expect(asked(7).args).toEqual(expect.arrayContaining(WHOLE));
    expect(asked(0).env.GIT_ALLOC_LIMIT).toBeUndefined();
    expect(asked(0).args).toEqual([...SAFE, "receive-pack", "--stateless-rpc", "--", "/srv/app.git"]);
  });

  it("a client of the gate whose pack may be shared is these bytes", () => {
    const packsHook = "/srv/it's here/lockstep-pack-objects";
    const serve = { kind: "serve", service: "upload-pack", advertisement: false } as const;
    expect(here(programs, { ...serve, client: { ...client, packsHook } }, "/srv/app.git").args).toEqual([
      ...SAFE,
      "-c",
      "uploadpack.packObjectsHook='/srv/it'\\''s here/lockstep-pack-objects'",
      ...["upload-pack", "--stateless-rpc", "--", "/srv/app.git"],
    ]);
  });

  it.each([
    ["upload-pack", false, "--stateless-rpc", {}],
    ["upload-pack", true, "--http-backend-info-refs", {}],
    ["receive-pack", false, "--stateless-rpc", PUSH_LIMITS],
    ["receive-pack", true, "--http-backend-info-refs", PUSH_LIMITS],
  ] as const)(
    "a client of the gate with %s (advertisement: %s) is these bytes",
    (service, advertisement, mode, more) => {
      const serve = { kind: "serve", service, advertisement, client } as const;
      expect(here(programs, serve, "/srv/app.git")).toStrictEqual({
        args: [...SAFE, ...(service === "receive-pack" ? WHOLE : []), service, mode, "--", "/srv/app.git"],
        env: { ...CLIENT_ENV, ...more },
      });
      const stranger = { ...serve, client: { ...client, user: undefined, protocol: undefined } };
      const { GIT_PROTOCOL: _, REMOTE_USER: __, ...anonymous } = CLIENT_ENV;
      expect(here(programs, stranger, "/srv/app.git").env).toStrictEqual({
        ...anonymous,
        GIT_COMMITTER_NAME: "anonymous",
        GIT_COMMITTER_EMAIL: "anonymous@http.192.0.2.7",
        ...more,
      });
    },
  );

  it("the command that serves a device is these bytes", () => {
    const device = { kind: "device", protocol: "version=2" } as const;
    const serve = { kind: "serve", service: "upload-pack", advertisement: false, client: device } as const;
    expect(here(programs, serve, "/srv/app.git")).toStrictEqual({
      args: [
        ...[...SAFE, "-c", "uploadpack.allowAnySHA1InWant=true", "-c", "transfer.hideRefs=refs/lockstep"],
        ...[
          "-c",
          "uploadpack.allowRefInWant=false",
          "-c",
          "uploadpack.keepAlive=0",
          "upload-pack",
          "--stateless-rpc",
          "--",
          "/srv/app.git",
        ],
      ],
      env: { ...LOCAL_ENV, GIT_DIR: "/srv/app.git", GIT_PROTOCOL: "version=2" },
    });
    const push = { ...serve, service: "receive-pack" } as const;
    expect(() => here(programs, push, "/srv/app.git")).toThrow("git receive-pack: a device never pushes.");
  });

  it("a client of the shim is these bytes", () => {
    const variables = {
      PATH: "/bin",
      HOME: "/home/git",
      GIT_PROTOCOL: "version=2",
      LOCKSTEP_REQUEST_ID: "r-1",
      USER: "git",
      SSH_CONNECTION: "192.0.2.7 1 192.0.2.1 22",
      GIT_SSH_COMMAND: "evil",
      LD_PRELOAD: "/evil.so",
    };
    const serve = {
      kind: "serve",
      service: "receive-pack",
      advertisement: false,
      client: { kind: "shell", variables, pushRefs: "50" },
    } as const;
    const env = {
      PATH: "/bin",
      HOME: "/home/git",
      GIT_PROTOCOL: "version=2",
      LOCKSTEP_REQUEST_ID: "r-1",
      LOCKSTEP_PUSHER: "git",
      SSH_CONNECTION: "192.0.2.7 1 192.0.2.1 22",
      GIT_NO_LAZY_FETCH: "1",
    };
    expect(here(programs, serve, "/srv/app.git")).toStrictEqual({
      args: [...WHOLE, "receive-pack", "--", "/srv/app.git"],
      env: { ...env, GIT_ALLOC_LIMIT: "1024m", LOCKSTEP_PUSH_REFS: "50" },
    });
    expect(here(programs, { ...serve, service: "upload-pack" }, "/srv/app.git")).toStrictEqual({
      args: ["upload-pack", "--", "/srv/app.git"],
      env,
    });
  });

  it.each(pairs.filter(([transport, credential]) => transport !== "file" || credential !== "none"))(
    "over %s with the credential %s is refused",
    (transport, credential) => {
      for (const service of ["upload-pack", "receive-pack"] as const)
        expect(() => cell({ kind: "serve", service, advertisement: false, client }, transport, credential)).toThrow(
          `git ${service}: it works on a directory of this machine`,
        );
    },
  );
});

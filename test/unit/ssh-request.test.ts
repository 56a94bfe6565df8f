// What `lockstep ssh-connect` takes from its caller, and what it refuses.
import { describe, expect, it } from "vitest";
import { asDevice, parseRequest } from "../../src/ssh/request.ts";
import { whyItFailed } from "../../src/ssh/said.ts";

const thrown = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  return "";
};

describe("the key of the device", () => {
  it("is used only for a caller that says so", () => {
    expect(thrown(() => asDevice({}))).toContain("set LOCKSTEP_AS_DEVICE=1");
    expect(thrown(() => asDevice({ LOCKSTEP_AS_DEVICE: "0" }))).toContain("set LOCKSTEP_AS_DEVICE=1");
    expect(thrown(() => asDevice({ LOCKSTEP_AS_DEVICE: "1", GIT_SSH_COMMAND: "lockstep ssh-connect" }))).toBe("");
  });

  it.each(["SSH_AUTH_SOCK", "SSH_ASKPASS", "GIT_ASKPASS", "GIT_SSH"])(
    "the key of the device is not used beside %s",
    (name) => {
      const said = thrown(() => asDevice({ LOCKSTEP_AS_DEVICE: "1", [name]: "/x" }));
      expect(said).toContain(`${name} names `);
      expect(said).toContain(`unset ${name}`);
      expect(thrown(() => asDevice({ LOCKSTEP_AS_DEVICE: "1", [name]: "" }))).toBe("");
    },
  );

  it.each(["-i/x", "-A", "-F/x", "-S/x", "-J/x", "-Eno", "-lroot", "-W", "-oIdentityFile=/x", "-oProxyCommand=sh"])(
    "is not used with %s",
    (option) => {
      expect(thrown(() => parseRequest([option, "repo001"], {}))).toMatch(
        /uses only the key of this device .*; leave it out\.$/,
      );
    },
  );
});

describe("the arguments of git", () => {
  it("are a port, a setting, a host with or without a user, and a command", () => {
    const env = { GIT_PROTOCOL: "version=2" };
    const command = "git-upload-pack '/team/app.git'";
    expect(parseRequest(["-o", "SendEnv=GIT_PROTOCOL", "-p", "2222", "git@repo001", command], env)).toEqual({
      ...{ host: "repo001", port: 2222, user: "git", protocol: "version=2", command, onlyAsks: false },
    });
    expect(parseRequest(["-4", "repo001", "lockstep-peer"], env)).toMatchObject({
      ...{ host: "repo001", port: undefined, user: undefined, protocol: undefined, command: "lockstep-peer" },
    });
    expect(parseRequest(["-G", "repo001"], {})).toMatchObject({ onlyAsks: true });
  });

  it("are refused without a host and with a port that is none", () => {
    expect(thrown(() => parseRequest([], {}))).toContain("No host was given");
    expect(thrown(() => parseRequest(["-p", "x", "repo001"], {}))).toContain("is no port");
  });
});

describe("what ssh says when it fails", () => {
  it("becomes a sentence that says what to do", () => {
    expect(whyItFailed("", "repo001", 0)).toBeUndefined();
    expect(whyItFailed("Host key verification failed.", "repo001", 255)).toContain("--ssh-host-key FILE` pins it");
    expect(whyItFailed("x: Permission denied (publickey).", "repo001", 255)).toContain("device authorized-keys");
    expect(whyItFailed("a\nssh: connect to host x port 1: Connection refused\n", "repo001", 255)).toBe(
      "ssh to device repo001 ended (ssh: connect to host x port 1: Connection refused)",
    );
  });
});

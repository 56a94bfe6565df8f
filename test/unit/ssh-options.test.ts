// The command line of ssh between devices, and the lines of authorized_keys.
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { authorizedKey } from "../../src/ssh/authorized-keys.ts";
import { parseSshAddress, sshArguments } from "../../src/ssh/options.ts";
import { parsePublicKey } from "../../src/ssh/public-key.ts";
import { findProgram } from "../support/programs.ts";

const TARGET = {
  device: "repo002",
  user: "git",
  host: "10.0.0.2",
  port: 2222,
  keyFile: "/etc/lockstep/ssh key",
  hostKeysFile: "/srv/git/.lockstep/ssh/repo002.known_hosts",
};
const ssh = findProgram("ssh", "openssh-client");
if ("missing" in ssh) console.warn(`Some tests of ssh are skipped: ${ssh.missing}.`);

describe("the command line of ssh to another device", () => {
  it("the command line of ssh to another device is this one", () => {
    expect(sshArguments(TARGET, "lockstep-peer")).toEqual([
      ...["-F", "none", "-T", "-oBatchMode=yes", "-oCheckHostIP=no", "-oClearAllForwardings=yes"],
      ...["-oConnectTimeout=10", "-oControlMaster=no", "-oControlPath=none", "-oEscapeChar=none", "-oForwardAgent=no"],
      ...["-oForwardX11=no", "-oGlobalKnownHostsFile=/dev/null", "-oHostKeyAlias=repo002", "-oIdentitiesOnly=yes"],
      ...["-oIdentityAgent=none", '-oIdentityFile="/etc/lockstep/ssh key"', "-oLogLevel=ERROR"],
      ...["-oPermitLocalCommand=no", "-oPreferredAuthentications=publickey", "-oProxyCommand=none", "-oRequestTTY=no"],
      ...["-oServerAliveCountMax=3", "-oServerAliveInterval=15", "-oStrictHostKeyChecking=yes", "-oTunnel=no"],
      ...["-oUpdateHostKeys=no", '-oUserKnownHostsFile="/srv/git/.lockstep/ssh/repo002.known_hosts"'],
      ...["-oVerifyHostKeyDNS=no", "-p", "2222", "-l", "git", "--", "10.0.0.2", "lockstep-peer"],
    ]);
  });

  it.skipIf("missing" in ssh)("is understood by ssh, also with a path of other characters", () => {
    const target = { ...TARGET, keyFile: '/a b/100%h/"x"', hostKeysFile: "/c d/100%h" };
    const { stdout, stderr } = spawnSync("ssh", ["-G", ...sshArguments(target)], { encoding: "utf8" });
    expect(stderr).toBe("");
    const lines = stdout.split("\n");
    for (const line of [
      'identityfile /a b/100%%h/"x"',
      "userknownhostsfile /c d/100%h",
      "hostkeyalias repo002",
      "port 2222",
      "user git",
      "hostname 10.0.0.2",
      "identityagent none",
      "globalknownhostsfile /dev/null",
      "batchmode yes",
      "stricthostkeychecking true",
      "identitiesonly yes",
      "passwordauthentication yes",
    ])
      expect(lines).toContain(line);
  });
});

describe("an address of ssh", () => {
  it("has a user, a host and a port, also with an address of IPv6", () => {
    expect(parseSshAddress("git@host:22")).toEqual({ user: "git", host: "host", port: 22 });
    expect(parseSshAddress("git@[::1]:2222")).toEqual({ user: "git", host: "::1", port: 2222 });
  });
});

const LINE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJqu1h4bZC4TWJzVeLZz6tVYQGZ0Vw5vJQ2fJ7sTzZ1C";

describe("a public key", () => {
  it("is a type, a key that says the same type, and a comment", () => {
    expect(parsePublicKey(`${LINE} a comment\n`)).toMatchObject({ type: "ssh-ed25519", base64: LINE.split(" ")[1] });
    expect(parsePublicKey(LINE.replace("ssh-ed25519", "ssh-rsa"))).toBeUndefined();
    expect(parsePublicKey(`command="x" ${LINE}`)).toBeUndefined();
    expect(parsePublicKey(`${LINE}\nssh-ed25519 AAAA`)).toBeUndefined();
    expect(parsePublicKey("")).toBeUndefined();
  });
});

describe("a line of authorized_keys", () => {
  it("forces lockstep-shell with the name of the device, and nothing else", () => {
    const key = { device: "repo002", fingerprint: "SHA256:abc/+", line: LINE };
    expect(authorizedKey(key, ["/usr/local/bin/lockstep-shell"])).toBe(
      `restrict,command="/usr/local/bin/lockstep-shell --device repo002 --key SHA256:abc/+" ${LINE} device repo002`,
    );
    expect(authorizedKey(key, ['/srv/it\'s "git"/lockstep-git', "lockstep-shell"])).toContain(
      `command="'/srv/it'\\''s \\"git\\"/lockstep-git' lockstep-shell --device`,
    );
  });
});

import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createAuthority, issue } from "../../src/ca/authority.ts";
import { judgeCertificate } from "../../src/doctor/certificate.ts";
import { judgeClock, judgeDatabase, judgeLogin } from "../../src/doctor/database.ts";
import { judgeDisk } from "../../src/doctor/directories.ts";
import { find } from "../../src/doctor/finding.ts";
import { judgeOwnKeys } from "../../src/doctor/ssh.ts";

const DAY_MS = 86_400_000;
const authority = await createAuthority({ trustDomain: "cluster.example", days: 400 });

describe("the doctor judges states that this machine cannot produce", () => {
  const inspection = { version: "16.4 (Debian)", standby: false, level: 3, mayCreate: true, aheadMs: 0, off: [] };
  const pem = async (days: number) => {
    const grant = { role: "device", name: "repo001", hosts: [], days } as const;
    return new X509Certificate((await issue(authority, grant)).certificatePem);
  };

  it.each([
    [{}, 3, "PostgreSQL 16.4 (Debian), schema level 3"],
    [{ level: 4 }, 3, "PostgreSQL 16.4 (Debian), schema level 4"],
    [{ version: "13.9" }, 3, { missing: "PostgreSQL is 13.9, which is too old; install 14 or newer." }],
    [{ standby: true }, 3, { missing: "This PostgreSQL is a standby; give the URL of the primary." }],
    [{ level: 2 }, 3, { warning: expect.stringMatching(/level 2 of 3; serve migrates it/) }],
    [{ off: ["fsync"] }, 3, { warning: expect.stringMatching(/level 3, but fsync is off, .*; turn that on/) }],
    [{ off: ["fsync", "x"] }, 3, { warning: expect.stringMatching(/but fsync and x are off/) }],
    [{ level: 2, mayCreate: false }, 3, { missing: expect.stringMatching(/may not migrate it; grant it CREATE/) }],
  ])("a database %j", (found, known, verdict) => {
    expect(judgeDatabase({ ...inspection, ...found }, known)).toEqual(verdict);
  });

  it.each([
    [undefined, "no schema yet"],
    [{}, "lockstep, which acts for all devices"],
    [{ devices: ["repo001"] }, "lockstep, which acts for all devices"],
    [
      { devices: ["repo001", "repo002"] },
      { warning: expect.stringMatching(/while 1 other device has a login of its own/) },
    ],
    [
      { devices: ["repo002", "repo003"] },
      { warning: expect.stringMatching(/while 2 other devices have logins of their own/) },
    ],
    [{ device: "repo001", ownsSchema: false }, "lockstep, which acts for this device only"],
    [
      { device: "repo002", ownsSchema: false },
      { missing: expect.stringMatching(/acts for the device repo002, not for repo001/) },
    ],
    [{ ownsSchema: false }, { missing: expect.stringMatching(/acts for no device; .*device login repo001/) }],
  ])("a login %j", (found, verdict) => {
    const login = { login: "lockstep", device: null, ownsSchema: true, devices: [] };
    expect(judgeLogin(found && { ...login, ...found }, "repo001")).toEqual(verdict);
  });

  it.each([
    [0, expect.any(String)],
    [-4_000, expect.any(String)],
    [61_000, { warning: expect.stringMatching(/clock is 61 s behind the database's.*; run an NTP client/) }],
    [-61_000, { warning: expect.stringMatching(/clock is 61 s ahead of the database's.*; run an NTP client/) }],
  ])("a database whose clock is ahead by %i ms", (ms, verdict) => {
    expect(judgeClock(ms)).toEqual(verdict);
  });

  it.each([
    [{ bytes: 5e10, files: 1e6 }, "50.0 GB free at /srv"],
    [{ bytes: 5e10, files: undefined }, "50.0 GB free at /srv"],
    [{ bytes: 5e8, files: 1e6 }, { warning: expect.stringMatching(/0\.5 GB free at \/srv\); make room/) }],
    [{ bytes: 5e7, files: 1e6 }, { missing: expect.stringMatching(/too little room .*; make room/) }],
    [{ bytes: 5e10, files: 12 }, { warning: expect.stringMatching(/only 12 more files at \/srv; make room/) }],
  ])("a disk with %j", (free, verdict) => {
    expect(judgeDisk("/srv", free)).toEqual(verdict);
  });

  it("a certificate that is not valid yet, or only for clients", async () => {
    const signers = [new X509Certificate(authority.certificatePem)];
    const certificate = await pem(100);
    expect(judgeCertificate(certificate, signers, Date.now())).toBeUndefined();
    expect(judgeCertificate(certificate, signers, Date.now() - DAY_MS)).toEqual({
      missing: expect.stringMatching(/valid from \d{4}-\d\d-\d\d on; set this machine's clock, or issue a new one\./),
    });
    const grant = { role: "operator", name: "alice", hosts: [], days: 100 } as const;
    const client = new X509Certificate((await issue(authority, grant)).certificatePem);
    expect(judgeCertificate(client, signers, Date.now())).toEqual({
      missing: expect.stringMatching(/not for servers and clients both; issue one with serverAuth and clientAuth\./),
    });
  });

  it("a check that fails with an unexpected error", async () => {
    const looked = find("x", async () => {
      throw new Error("no idea");
    });
    expect(await looked).toEqual({ check: "x", state: "missing", said: "no idea" });
  });
});

describe("the ssh keys of a device", () => {
  const own = {
    ssh: { type: "ssh-ed25519", base64: "AAAA", fingerprint: "SHA256:own" },
    "ssh-host": { type: "ssh-ed25519", base64: "BBBB", fingerprint: "SHA256:host" },
  };
  const key = (
    kind: "ssh" | "ssh-host",
    fingerprint: string,
    state: "trusted" | "revoked" = "trusted",
    name = "repo001",
  ) => ({ role: "device", name, kind, fingerprint, state, publicKey: null }) as const;

  it("are good when the registry trusts them, and before serve has brought them", () => {
    expect(judgeOwnKeys(own, [key("ssh", "SHA256:own"), key("ssh-host", "SHA256:host")], "repo001")).toBeUndefined();
    expect(judgeOwnKeys(own, [], "repo001")).toBeUndefined();
    // The key of another device says nothing of this one.
    expect(judgeOwnKeys(own, [key("ssh", "SHA256:x", "trusted", "repo002")], "repo001")).toBeUndefined();
  });

  it("are warned of when the registry has others, and missing when they are revoked", () => {
    expect(judgeOwnKeys(own, [key("ssh", "SHA256:other")], "repo001")).toEqual({
      warning: expect.stringMatching(
        /^The ssh key SHA256:own of device repo001 is not in the registry.*device trust repo001`\.$/,
      ),
    });
    expect(judgeOwnKeys(own, [key("ssh", "SHA256:own"), key("ssh-host", "SHA256:host", "revoked")], "repo001")).toEqual(
      {
        missing: expect.stringMatching(
          /^The host key SHA256:host of device repo001 is revoked; .*device trust repo001`\.$/,
        ),
      },
    );
  });
});

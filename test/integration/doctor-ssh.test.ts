// What the doctor says of ssh between devices.
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readHostKey } from "../../src/ssh/key-files.ts";
import { administer } from "../support/administer.ts";
import { migratedDatabase } from "../support/database.ts";
import { dir, doctor, type Environment, makeDoctorSite, well } from "../support/doctor-site.ts";
import { freePort } from "../support/ports.ts";
import { makeKey } from "../support/sshd.ts";

makeDoctorSite();

describe("ssh between devices", () => {
  const ssh = async (env: Environment) => {
    const { checks } = await doctor({ ...well, PATH: `${dir}/bin:${process.env.PATH}`, ...env });
    return checks.find(({ check }) => check === "ssh");
  };
  let count = 0;
  const key = async () => {
    const file = join(dir, `ssh-key-${count++}`);
    await makeKey(file);
    return file;
  };

  it("is not looked at where https is the only way, and without a key", async () => {
    expect(await ssh({ LOCKSTEP_PEER_TRANSPORT: "https", LOCKSTEP_SSH_KEY: "/no/such" })).toMatchObject({
      state: "ok",
    });
    expect(await ssh({})).toMatchObject({ state: "ok", said: expect.stringMatching(/^no --ssh-key/) });
  });

  it("needs a key, where ssh is the only way", async () => {
    expect(await ssh({ LOCKSTEP_PEER_TRANSPORT: "ssh" })).toEqual({
      check: "ssh",
      state: "missing",
      said: "--peer-transport ssh needs --ssh-key and --ssh-advertise; give --ssh-key too.",
    });
  });

  it("needs a key file that is there, and that only its owner may read", async () => {
    expect(await ssh({ LOCKSTEP_SSH_KEY: "/no/such" })).toMatchObject({
      state: "missing",
      said: expect.stringMatching(/^The file of --ssh-key cannot be read .*; correct its path\.$/),
    });
    const file = await key();
    expect(await ssh({ LOCKSTEP_SSH_KEY: file })).toMatchObject({
      state: "ok",
      said: expect.stringMatching(/^the key SHA256:\S+; no other device has --ssh-advertise$/),
    });
    await chmod(file, 0o644);
    expect(await ssh({ LOCKSTEP_SSH_KEY: file })).toMatchObject({
      state: "missing",
      said: expect.stringMatching(/^Other users of this machine may use .*chmod go= /),
    });
  });

  it("says which devices are not reached, and why", async () => {
    await using cluster = await migratedDatabase();
    const host = await key();
    const { type, base64, fingerprint } = await readHostKey(`${host}.pub`);
    await administer(cluster.url, async (client) => {
      for (const [name, port] of [
        ["repo002", await freePort()],
        ["repo003", 22],
      ] as const)
        await client.query("insert into lockstep.device (name, ssh_address, ssh_user) values ($1, $2, 'git')", [
          name,
          `127.0.0.1:${port}`,
        ]);
      await client.query("insert into lockstep.principal (role, name) values ('device', 'repo002')");
      await client.query(
        "insert into lockstep.credential (role, name, kind, fingerprint, public_key, enrolled_by) values ('device', 'repo002', 'ssh-host', $1, $2, 'test')",
        [fingerprint, `${type} ${base64}`],
      );
    });
    const found = await ssh({ LOCKSTEP_SSH_KEY: await key(), LOCKSTEP_DATABASE_URL: cluster.url });
    expect(found).toMatchObject({ state: "warning" });
    expect(found?.said).toMatch(
      /^2 of 2 devices are not reached over ssh: ssh to device repo002 ended \(.*refused.*\); /,
    );
    expect(found?.said).toMatch(/no host key of the sshd of device repo003; give its sidecar --ssh-host-key\.$/);
  });
});

// deploy/kubernetes, overlay "gate-managed", on this machine, as kubernetes.test.ts does it. The test makes what the
// operators of the cluster would make: the certificate of each pod from the attributes of its csi volume, and a
// PostgreSQL with a certificate and the secrets that CloudNativePG writes. That PostgreSQL has no standbys:
// synchronous-standby.test.ts has.
import { chmod, chown, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LocalPostgres, startPostgres } from "../../src/demo/postgres.ts";
import { administer } from "../support/administer.ts";
import { BOTH, certify, dns, type Made, SERVER, shown, uri } from "../support/certificate-maker.ts";
import { expectPorts, expectProbes, expectRestricted, expectVolumes } from "../support/pods/checks.ts";
import { readImage } from "../support/pods/image.ts";
import { GATE_URL, Overlay } from "../support/pods/overlay.ts";
import { podsMissing } from "../support/pods/pod-cluster.ts";
import type { CsiDriver } from "../support/pods/pod-volumes.ts";

const missing = podsMissing();
if (missing.length > 0) console.warn(`The tests of the managed manifests are skipped: ${missing.join("; ")}.`);

const HOST = "lockstep-database-rw.git";
const authority = (cn: string) => certify({ cn, ca: true });

/** Makes certificates as the csi-driver of cert-manager does for a pod. */
function certManager(podName: string, by: Made): CsiDriver {
  return async (attributes) => {
    const names = (attribute: string) =>
      (attributes[`csi.cert-manager.io/${attribute}`] ?? "")
        .replace(/\$\{POD_NAME\}/g, podName)
        .replace(/\$\{POD_NAMESPACE\}/g, "git")
        .split(",");
    expect(names("key-usages")).toEqual(["digital signature", "server auth", "client auth"]);
    const made = await certify({
      names: [...names("uri-sans").map(uri), ...names("dns-names").map(dns)],
      uses: BOTH,
      by,
    });
    const { cert, key } = shown(made);
    return { "tls.crt": cert, "tls.key": key, "ca.crt": shown(by).cert };
  };
}

/** Lets PostgreSQL speak TLS. Its user must own the key. */
async function useCertificate({ url, directory }: LocalPostgres, dir: string, made: Made): Promise<void> {
  const { uid, gid } = await stat(join(directory, "cluster", "data"));
  const { cert, key } = shown(made);
  for (const [setting, content] of Object.entries({ ssl_cert_file: cert, ssl_key_file: key })) {
    const file = join(dir, setting);
    await writeFile(file, content, { mode: 0o600 });
    await chown(file, uid, gid);
    await administer(url, (client) => client.query(`alter system set ${setting} = '${file}'`));
  }
  await administer(url, (client) => client.query("alter system set ssl = on"));
  await administer(url, (client) => client.query("select pg_reload_conf()"));
}

describe.skipIf(missing.length > 0)("the pods of the overlay gate-managed", () => {
  let dir: string;
  let postgres: LocalPostgres;
  let overlay: Overlay;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "ls-managed-"));
    await chmod(dir, 0o755);
    const [devices, database] = await Promise.all([authority("lockstep authority"), authority("lockstep-database")]);
    postgres = await startPostgres({ dir, env: { PATH: process.env.PATH }, isRoot: process.getuid?.() === 0 });
    await useCertificate(postgres, dir, await certify({ names: [dns(HOST)], uses: SERVER, by: database }));
    await administer(postgres.url, (client) => client.query("create database lockstep"));
    const { username, password } = new URL(postgres.url);
    const image = readImage("Dockerfile");
    overlay = await Overlay.start({
      name: "gate-managed",
      imageOf: () => image,
      blocks: { users: {} },
      secrets: {
        "lockstep-database-app": {
          uri: `postgresql://${username}:${password}@${HOST}:5432/lockstep`,
          username: "lockstep",
        },
        "lockstep-database-ca": { "ca.crt": shown(database).cert },
      },
      drivers: (podName) => ({ "csi.cert-manager.io": certManager(podName, devices) }),
      databaseUrl: postgres.url,
      databaseHost: HOST,
    });
  });
  afterAll(async () => {
    await overlay?.[Symbol.asyncDispose]();
    await postgres?.[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  });

  it("answer every probe, and serve metrics where their annotations say", () => expectProbes(overlay));
  it("listen on each port, and services lead to such ports", () => expectPorts(overlay, ["lockstep", "git"]));
  it("run as an ordinary user without rights, and cannot write to their root", () => expectRestricted(overlay));

  it("take a push at one and show it at another, over the certificates of cert-manager", async () => {
    const tip = await overlay.commit("first");
    expect(await overlay.push(overlay.pods[0], GATE_URL)).toMatchObject({ code: 0 });
    for (const pod of overlay.pods) expect(await overlay.refs(pod, GATE_URL)).toContain(`${tip}\trefs/heads/main`);
  });

  it("reach PostgreSQL only over TLS", async () => {
    const uses = await administer(postgres.url, (client) =>
      client.query("select ssl from pg_stat_ssl join pg_stat_activity using (pid) where datname = 'lockstep'"),
    );
    expect(uses.rows.length).toBeGreaterThan(2);
    for (const { ssl } of uses.rows) expect(ssl).toBe(true);
  });

  it("write to each writable volume, and do not start without one of the others", () =>
    expectVolumes(overlay, ["/tmp"]));
});

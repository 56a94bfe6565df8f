// `lockstep gate` with users: a process of its own, with stock git before it.
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createAuthority, issue } from "../../src/ca/authority.ts";
import { writeCredentials } from "../../src/ca/credentials.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { EXIT, expectSentence, runHere } from "../support/command-line.ts";
import { freePort, untilListening } from "../support/ports.ts";
import { type Pusher, pusher } from "../support/pusher.ts";
import { soon } from "../support/soon.ts";

const TRUST_DOMAIN = "users.example";

describe("a gate with users", () => {
  let cluster: Cluster;
  let one: Device;
  let ada: Pusher;
  beforeAll(async () => {
    cluster = await startCluster();
    one = cluster.devices[0]!;
    ada = await pusher(cluster.git, "ada");
  });
  afterAll(async () => await cluster?.[Symbol.asyncDispose]());

  /** Starts a gate beside the first device. */
  async function startGate(...args: string[]) {
    const port = await freePort();
    const child = one.command(["gate", "--root", one.demo.root, "--gate-listen", `127.0.0.1:${port}`, ...args]);
    await untilListening({ host: "127.0.0.1", port });
    return {
      at: `127.0.0.1:${port}`,
      async [Symbol.asyncDispose]() {
        child.kill("SIGTERM");
        await new Promise((done) => child.once("close", done));
      },
    };
  }

  const lastAuthor = async (repository: string) => (await one.lockstep("log", repository)).document.log[0].author;

  it("takes pushes of the users of a file, who are the authors in the log, and lets everybody read", async () => {
    const repository = await cluster.createRepository();
    const users = join(cluster.git.dir, "users");
    await writeFile(users, `grace:{SHA}${createHash("sha1").update("hopper").digest("base64")}\n`);
    await using gate = await startGate("--htpasswd", users, "--anonymous-reads");
    const commit = await ada.commit();
    const refused = await ada.push(`http://${gate.at}/${repository}.git`, `${commit}:refs/heads/main`);
    expect(refused.stderr).toMatch(/could not read Username|Authentication failed/);
    await ada.land(`http://grace:hopper@${gate.at}/${repository}.git`, `${commit}:refs/heads/main`);
    expect(await lastAuthor(repository)).toBe("grace");
    const read = await cluster.git.run(["ls-remote", `http://${gate.at}/${repository}.git`]);
    expect(read.stdout).toContain(commit);
  });

  it("takes pushes over https from users with a certificate of its authority, and from no others", async () => {
    const repository = await cluster.createRepository();
    const [users, strangers] = [
      await createAuthority({ trustDomain: TRUST_DOMAIN, days: 1 }),
      await createAuthority({ trustDomain: TRUST_DOMAIN, days: 1 }),
    ];
    const dir = join(cluster.git.dir, "credentials");
    const server = await writeCredentials(
      dir,
      "gate",
      await issue(users, { role: "device", name: "gate", hosts: ["127.0.0.1"], days: 1 }),
    );
    const client = async (file: string, authority: typeof users) =>
      await writeCredentials(
        dir,
        file,
        await issue(authority, { role: "frontend", name: "grace", hosts: [], days: 1 }),
      );
    const [grace, eve] = [await client("grace", users), await client("eve", strangers)];
    const ca = join(dir, "ca.pem");
    await writeFile(ca, users.certificatePem);
    await using gate = await startGate(
      ...["--gate-tls-cert", server.certificate, "--gate-tls-key", server.key, "--gate-client-ca", ca],
    );
    const url = `https://${gate.at}/${repository}.git`;
    const commit = await ada.commit();
    const push = async (pair?: typeof grace) => {
      const settings = [
        `http.sslCAInfo=${ca}`,
        ...(pair ? [`http.sslCert=${pair.certificate}`, `http.sslKey=${pair.key}`] : []),
      ];
      return await cluster.git.run(
        [...settings.flatMap((each) => ["-c", each]), "push", url, `${commit}:refs/heads/main`],
        {
          cwd: ada.dir,
        },
      );
    };
    expect((await push()).stderr).toMatch(/lets nobody push without a name; give git a client certificate/);
    expect((await push(eve)).stderr).toMatch(/Your client certificate does not let you in/);
    const audited = async () =>
      (await one.call("ListAudit", { limit: 100, newest: true }, PATIENCE)).entries.map(
        ({ author, action, detail }) => ({
          ...{ author, action },
          way: JSON.parse(detail).way,
        }),
      );
    const row = { author: expect.stringMatching(/^user .*grace/), action: "refused", way: "--gate-client-ca" };
    await vi.waitFor(async () => expect(await audited()).toContainEqual(row), soon());
    expect(await push(grace)).toMatchObject({ code: 0 });
    expect(await lastAuthor(repository)).toBe("grace");
  });
});

describe("the gate refuses to start", () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "ls-users-"));
    await writeFile(join(dir, "users"), "");
    await writeFile(join(dir, "no.pem"), "nothing");
  });
  afterAll(async () => await rm(dir, { recursive: true }));

  it.each<[string, string[], RegExp]>([
    [
      "on all addresses, if nothing says who may use it",
      ["--gate-listen", "0.0.0.0:1"],
      /0\.0\.0\.0 is no loopback.*--anonymous-reads/,
    ],
    [
      "on a host name, if nothing says who may use it",
      ["--gate-listen", "git.example:1"],
      /git\.example is no loopback/,
    ],
    [
      "with two ways to check passwords",
      ["--htpasswd", "DIR/users", "--auth-request", "http://a/"],
      /exclude each other/,
    ],
    ["with a URL that is none", ["--auth-request", "ftp://a/"], /--auth-request must be a URL/],
    ["with a password in the URL", ["--auth-request", "http://a:b@c/"], /must have no name and no password/],
    ["with an unknown part in the URL", ["--auth-request", "http://a/{user}"], /no other braces/],
    ["without the file of users", ["--htpasswd", "DIR/none"], /--htpasswd cannot be read/],
    ["with a certificate without its key", ["--gate-tls-cert", "DIR/no.pem"], /go together/],
    [
      "with files that hold no certificate",
      ["--gate-tls-cert", "DIR/no.pem", "--gate-tls-key", "DIR/no.pem"],
      /do not fit/,
    ],
  ])("%s", async (_, args, sentence) => {
    const given = args.map((each) => each.replace("DIR", dir));
    const refused = await runHere(["gate", "--root", dir, "--socket-dir", dir, ...given]);
    expect(refused.code).toBe(EXIT.USAGE);
    expectSentence(refused, sentence);
  });
});

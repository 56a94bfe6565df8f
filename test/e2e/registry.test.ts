// Who is let in, on real processes: names that nobody has trusted, revocation on open connections, and a device that
// joins with a token.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { PATIENCE } from "../support/cluster-device.ts";
import { cluster, one, startClusterOfFile, two } from "../support/file-cluster.ts";
import { atGrpc, connection, issued } from "../support/issued-files.ts";
import { SOON } from "../support/soon.ts";
import { stranger, tlsCredentials } from "../support/stranger.ts";

startClusterOfFile();

describe("where an operator says yes to each key", () => {
  beforeAll(async () => {
    await one.kill();
    await one.start({ LOCKSTEP_TRUST_CA: "0" });
  });

  it("a device that nobody has trusted is refused and waits; a yes lets it in, and revoke shuts it out again", async () => {
    const files = await issued("device", "repo009");
    using asked = connection(one, files);
    const refused = await asked.ask();
    expect(refused).toMatchObject({ status: 403, said: expect.stringContaining("lockstep device trust repo009") });
    const { waiting } = (await one.lockstep("device", "list")).document;
    expect(waiting).toMatchObject([{ role: "device", name: "repo009", seen_by: "repo001", kind: "x509" }]);
    expect((await one.print("status")).stdout).toContain(waiting[0].fingerprint);
    const trusted = await two.lockstep("device", "trust", "repo009");
    expect(trusted.document).toMatchObject({ now_trusted: [waiting[0].fingerprint] });
    await vi.waitFor(async () => expect((await asked.ask()).status).toBe(200), SOON);
    expect((await one.lockstep("device", "show", "repo009")).document).toMatchObject({
      name: "repo009",
      keys: [{ fingerprint: waiting[0].fingerprint, state: "trusted" }],
    });
    expect((await two.print("device", "revoke", "repo009", "--reason", "a test", "--yes")).code).toBe(0);
    await vi.waitFor(() => expect(asked.sockets.at(-1)?.destroyed).toBe(true), SOON);
    await vi.waitFor(async () => {
      expect(await asked.ask()).toMatchObject({ status: 403, said: expect.stringContaining("was revoked") });
      const { document } = await one.lockstep("status");
      expect(document.revoked_keys).toMatchObject([{ name: "repo009", reason: "a test" }]);
    }, SOON);
  });

  it("operators and front ends are refused too; the unix socket is an operator", async () => {
    for (const role of ["operator", "frontend"] as const) {
      const files = await issued(role, `new-${role}`);
      expect(await atGrpc(one, files)).toMatch(/UNAUTHENTICATED: Nobody has trusted the key sha256:/);
      const named = await one.lockstep(role, "trust", `new-${role}`, "--cert", files.cert);
      expect(named.code).toBe(0);
      await vi.waitFor(async () => expect(await atGrpc(one, files)).toBe("OK"), SOON);
    }
    for (const role of ["operator", "frontend"] as const) expect(await atGrpc(one, cluster.demo.line[role])).toBe("OK");
  });
});

describe("where --trust-ca is set", () => {
  it("a new name is let in, and from then on only with that key", async () => {
    expect(await atGrpc(two, await issued("operator", "olga"))).toBe("OK");
    const other = await issued("operator", "olga", "other");
    expect(await atGrpc(two, other)).toContain("Nobody has trusted the key");
    expect((await two.print("operator", "trust", "olga")).code).toBe(0);
    await vi.waitFor(async () => expect(await atGrpc(two, other)).toBe("OK"), SOON);
  });

  it("a certificate of another key for the name of a device of the cluster is refused", async () => {
    using asked = connection(two, await issued("device", "repo003"));
    expect((await asked.ask()).status).toBe(403);
  });
});

describe("revocation", () => {
  it("ends connections and streams on every device, and no new one is let in", async () => {
    const files = await issued("frontend", "web");
    const clients = [one, two].map((device) => stranger(device.demo.grpc, tlsCredentials(cluster.demo.line.ca, files)));
    await two.print("frontend", "trust", "web", "--cert", files.cert);
    const ended = clients.map(async (client) => {
      try {
        for await (const _ of client.stream("Watch", {}));
        return "ended";
      } catch (error) {
        return (error as { code: string }).code;
      }
    });
    await vi.waitFor(async () => expect(await atGrpc(one, files)).toBe("OK"), SOON);
    const { code } = await one.print("frontend", "revoke", "web", "--reason", "stolen", "--yes");
    expect(code).toBe(0);
    expect(await Promise.all(ended)).toEqual(["UNAVAILABLE", "UNAVAILABLE"]);
    await vi.waitFor(async () => {
      for (const device of [one, two]) expect(await atGrpc(device, files)).toContain("was revoked");
    }, SOON);
    for (const client of clients) client[Symbol.dispose]();
  });

  it("a revoked device writes nothing, and others fetch nothing from it, until it is trusted again", async () => {
    const three = cluster.devices[2]!;
    const repository = await cluster.createRepository();
    await three.sync(repository);
    await one.print("device", "revoke", three.name, "--reason", "lost", "--yes");
    await vi.waitFor(async () => expect(await three.isReady()).toBe(false), SOON);
    const begun = three.call("BeginWrite", { repository }, PATIENCE);
    await expect(begun).rejects.toMatchObject({ code: "WRITES_ELSEWHERE" });
    await one.print("device", "trust", three.name);
    await vi.waitFor(async () => expect(await three.isReady()).toBe(true), SOON);
    const { token } = await three.call("BeginWrite", { repository }, PATIENCE);
    await three.call("AbortWrite", { repository, token }, PATIENCE);
  });
});

describe("a front end with limits", () => {
  it("reads only its repositories, and writes nothing if it may only read", async () => {
    const files = await issued("frontend", "limited");
    const inside = await cluster.createRepository();
    const args = ["--cert", files.cert, "--repositories", "team/*", "other", "--read-only"];
    const { document } = await one.lockstep("frontend", "trust", "limited", ...args);
    expect(document).toMatchObject({ repositories: ["team/*", "other"], read_only: true });
    using client = stranger(one.demo.grpc, tlsCredentials(cluster.demo.line.ca, files));
    await vi.waitFor(async () => await client.call("GetVersion", { repository: inside }), SOON);
    expect(await client.refusal("GetVersion", { repository: "demo" })).toMatchObject({ code: "PERMISSION_DENIED" });
    expect(await client.refusal("BeginWrite", { repository: inside })).toMatchObject({ code: "PERMISSION_DENIED" });
    expect(await client.refusal("GetStatus")).toMatchObject({ code: "PERMISSION_DENIED" });
    const { repositories } = await client.call("ListRepositories");
    const names = repositories.map(({ name }: { name: string }) => name);
    expect(names).toContain(inside);
    expect(names).not.toContain("demo");
    await one.print("frontend", "trust", "limited", "--unlimited");
    await vi.waitFor(async () => await client.call("GetVersion", { repository: "demo" }), SOON);
  });

  it("a device may ask about the repositories that it holds", async () => {
    using client = stranger(one.demo.grpc, tlsCredentials(cluster.demo.line.ca, two.demo));
    expect(await client.call("GetVersion", { repository: "demo" })).toMatchObject({ repository: "demo" });
    const repository = "only/one";
    await one.call("CreateRepository", { repository, devices: ["repo001"] }, PATIENCE);
    expect(await client.refusal("GetVersion", { repository })).toMatchObject({ code: "PERMISSION_DENIED" });
  });
});

it("a token is printed once, and the command line says what it takes", async () => {
  const { document } = await one.lockstep("device", "enroll", "repo010", "--token");
  expect(document).toMatchObject({ name: "repo010", token: expect.stringMatching(/^lockstep-enroll-/) });
  const wrong = await one.print("device", "enroll", "repo010");
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("Give one of --cert") });
  const file = join(cluster.dir, "no.pem");
  await writeFile(file, "no certificate");
  expect(await one.print("device", "enroll", "repo010", "--cert", file)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("no certificate in PEM"),
  });
  const operator = await one.print("device", "enroll", "repo010", "--cert", cluster.demo.line.operator.cert);
  expect(operator).toMatchObject({ code: 2, stderr: expect.stringContaining("not that of device repo010") });
  expect(await one.print("device", "revoke", "repo010", "--reason", "x", "--yes")).toMatchObject({ code: 1 });
});

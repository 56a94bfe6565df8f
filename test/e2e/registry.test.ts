// Who is let in, on real processes: names that nobody has trusted, revocation on open connections, and a device that
// joins with a token.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { TLSSocket } from "node:tls";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { issue } from "../../src/ca/authority.ts";
import { writeCredentials } from "../../src/ca/credentials.ts";
import { administer } from "../support/administer.ts";
import type { Device } from "../support/cluster-device.ts";
import { cluster, one, startClusterOfFile, two } from "../support/file-cluster.ts";
import { stranger, tlsCredentials } from "../support/stranger.ts";

const SOON = { timeout: 30_000, interval: 50 };

startClusterOfFile();

type Role = "device" | "frontend" | "operator";
interface Files {
  readonly cert: string;
  readonly key: string;
}

async function issued(role: Role, name: string, place = "more"): Promise<Files> {
  const { ca_dir } = cluster.demo.line;
  const read = (file: string) => readFile(join(ca_dir, file), "utf8");
  const authority = { certificatePem: await read("ca.pem"), keyPem: await read("ca.key") };
  const hosts = role === "device" ? ["localhost", "127.0.0.1"] : [];
  const pair = await issue(authority, { role, name, hosts, days: 1 });
  const { certificate, key } = await writeCredentials(join(ca_dir, place), `${role}-${name}`, pair);
  return { cert: certificate, key };
}

/** One kept-alive connection to the git port of a device, as another device has it. */
function connection(to: Device, { cert, key }: Files) {
  const read = (file: string) => readFileSync(file);
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 1,
    ca: read(cluster.demo.line.ca),
    cert: read(cert),
    key: read(key),
  });
  const sockets: TLSSocket[] = [];
  return {
    sockets,
    async ask(): Promise<{ status: number; said: string }> {
      const asking = request(`${to.demo.git}/v1/directory`, { method: "POST", agent });
      asking.on("socket", (socket) => sockets.includes(socket as TLSSocket) || sockets.push(socket as TLSSocket));
      // No repository has the name, so any device may ask about it.
      asking.end(JSON.stringify({ repository: "nobody/has" }));
      const [response] = await once(asking, "response");
      return { status: response.statusCode, said: await text(response) };
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

async function atGrpc(to: Device, files: Files): Promise<string> {
  using client = stranger(to.demo.grpc, tlsCredentials(cluster.demo.line.ca, files));
  return await client.call("GetStatus").then(
    () => "OK",
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  );
}

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

  it("of a device lets it write nothing, and others fetch nothing from it, until it is trusted again", async () => {
    const three = cluster.devices[2]!;
    const repository = await cluster.createRepository();
    await three.sync(repository);
    await one.print("device", "revoke", three.name, "--reason", "lost", "--yes");
    await vi.waitFor(async () => expect(await three.isReady()).toBe(false), SOON);
    const begun = three.call("BeginWrite", { repository }, { timeoutMs: 10_000 });
    await expect(begun).rejects.toMatchObject({ code: "WRITES_ELSEWHERE" });
    await one.print("device", "trust", three.name);
    await vi.waitFor(async () => expect(await three.isReady()).toBe(true), SOON);
    const { token } = await three.call("BeginWrite", { repository }, { timeoutMs: 10_000 });
    await three.call("AbortWrite", { repository, token }, { timeoutMs: 10_000 });
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
    await one.call("CreateRepository", { repository, devices: ["repo001"] }, { timeoutMs: 30_000 });
    expect(await client.refusal("GetVersion", { repository })).toMatchObject({ code: "PERMISSION_DENIED" });
  });
});

describe("the audit", () => {
  it("has each act of an operator once, with who, what and the result, and refused credentials with a count", async () => {
    const { operator, ca } = cluster.demo.line;
    using olga = stranger(one.demo.grpc, tlsCredentials(ca, operator));
    await olga.call("CreateRepository", { repository: "audited/one" });
    await olga.refusal("CreateRepository", { repository: "audited/one" });
    await one.print("device", "set", "repo003", "--no-writes");
    await one.print("device", "set", "repo003", "--writes");
    const files = await issued("frontend", "curious");
    using curious = stranger(one.demo.grpc, tlsCredentials(ca, files));
    for (let times = 0; times < 3; times += 1) await curious.refusal("ListHooks").catch(() => {});
    await one.print("frontend", "trust", "curious", "--cert", files.cert);
    await vi.waitFor(async () => {
      for (let times = 0; times < 3; times += 1)
        expect(await curious.refusal("ListHooks")).toMatchObject({ code: "PERMISSION_DENIED" });
    }, SOON);
    const rows = async () => (await two.lockstep("audit", "--since", "1h")).document.entries;
    const acts = (await rows()).map(({ author, action, repository, device, result }: Record<string, string>) =>
      [author, action, repository ?? device, result].join("|"),
    );
    expect(acts).toContain("operator operator|create repository|audited/one|done");
    expect(acts).toContain("operator operator|create repository|audited/one|REPOSITORY_EXISTS");
    expect(acts.filter((act: string) => act.includes("|stop writes|repo003|done"))).toHaveLength(1);
    expect(acts.filter((act: string) => act.includes("|allow writes|repo003|done"))).toHaveLength(1);
    await vi.waitFor(async () => {
      const refused = (await rows()).filter(
        (row: { author: string; action: string }) => row.author === "frontend curious",
      );
      expect(refused.map(({ action }: { action: string }) => action)).toContain("refused");
      const denied = refused.find(({ result }: { result: string }) => result === "PERMISSION_DENIED");
      expect(denied).toMatchObject({
        device: "repo001",
        detail: { count: expect.any(Number), from: expect.any(String) },
      });
    }, SOON);
  });

  it("is whole, and says so with its end; a row that somebody removed is noticed", async () => {
    const whole = await one.lockstep("audit", "--verify");
    expect(whole).toMatchObject({ code: 0, document: { verified: true, problem: null } });
    expect((await two.print("audit", "--verify", "--through", whole.document.end)).code).toBe(0);
    expect(await one.print("audit", "--verify", "--through", "7")).toMatchObject({ code: 2 });
    await administer(cluster.databaseUrl, async (client) => {
      await expect(client.query("delete from lockstep.audit where id = 2")).rejects.toThrow("only grows");
      await client.query("alter table lockstep.audit disable trigger user");
      await client.query("delete from lockstep.audit where id = 2");
      await client.query("alter table lockstep.audit enable trigger user");
    });
    const broken = await one.lockstep("audit", "--verify");
    expect(broken).toMatchObject({ code: 1, document: { verified: false, problem: "Row 2 was removed." } });
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

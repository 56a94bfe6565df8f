// The connections of the gRPC port and the git port over their life: certificates that end, trust that is withdrawn,
// sessions that a client resumes.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect, createServer as createTlsServer, type SecureContextOptions, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type CredentialPair, createAuthority, issue } from "../../src/ca/authority.ts";
import { LockstepError } from "../../src/errors.ts";
import { MUTUAL_TLS } from "../../src/tls/mutual-tls.ts";
import { Peers } from "../../src/tls/peers.ts";
import type { ShownKey, TrustCheck } from "../../src/tls/trust.ts";
import { SOON } from "../support/soon.ts";
import { trustAuthorities } from "../support/trust-authorities.ts";

const trustDomain = "test.lockstep.internal";
const SECOND = 1 / 86_400;

let authority: CredentialPair;
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "peers-"));
  authority = await createAuthority({ trustDomain, days: 1 });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function credentials(name: string, days = 1, by = authority): Promise<SecureContextOptions> {
  const { certificatePem, keyPem } = await issue(by, { role: "device", name, hosts: ["127.0.0.1"], days });
  return { ca: authority.certificatePem, cert: certificatePem, key: keyPem };
}

interface Port extends AsyncDisposable {
  readonly port: number;
  readonly log: { from: string | undefined; err: string; peer?: string }[];
}

/** A server that answers each request with the name of its device, or 403 and the reason. */
async function open(options: { trust?: TrustCheck; maxAgeMs?: number; tls?: object } = {}): Promise<Port> {
  const log: Port["log"] = [];
  const note = (fields: object) => void log.push(fields as Port["log"][number]);
  const peers = new Peers({ trustDomain, trust: trustAuthorities, ...options, log: { warn: note, info: note } });
  const http = createServer({ keepAliveTimeout: 60_000 }, (asked, response) => {
    peers.admit(asked.socket).then(
      ({ name }) => response.end(name),
      (error: Error) => response.writeHead(403).end(error.message),
    );
  });
  const tls = createTlsServer({ ...(await credentials("repo001")), ...MUTUAL_TLS, ...options.tls }, (socket) => {
    if (peers.watch(socket)) http.emit("secureConnection", socket);
  });
  tls.listen(0, "127.0.0.1");
  await once(tls, "listening");
  return {
    port: (tls.address() as AddressInfo).port,
    log,
    async [Symbol.asyncDispose]() {
      peers[Symbol.dispose]();
      tls.close();
      http.closeAllConnections();
    },
  };
}

interface Asker extends Disposable {
  /** Asks on the one connection, or on a new one when that has ended. Returns the status and the text. */
  ask(): Promise<string>;
  readonly sockets: Set<TLSSocket>;
}

function asker(port: number, tls: SecureContextOptions): Asker {
  const agent = new Agent({ ...tls, keepAlive: true, maxSockets: 1 });
  const sockets = new Set<TLSSocket>();
  return {
    sockets,
    async ask() {
      const asking = request({ host: "127.0.0.1", port, agent });
      asking.on("socket", (socket) => void sockets.add(socket as TLSSocket));
      asking.end();
      try {
        const [response] = await once(asking, "response");
        return `${response.statusCode} ${await text(response)}`;
      } catch (error) {
        return (error as Error).message;
      }
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

/** A check of trust that a test changes. */
class Trust implements TrustCheck {
  #refused = false;
  readonly asked: ShownKey[] = [];
  readonly #listeners = new Set<() => void>();

  check(shown: ShownKey): LockstepError | undefined {
    this.asked.push(shown);
    return this.#refused ? new LockstepError("UNAUTHENTICATED", "The key was revoked.") : undefined;
  }

  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  revoke({ silently = false } = {}): void {
    this.#refused = true;
    if (!silently) for (const listener of this.#listeners) listener();
  }
}

describe("a certificate that ends", () => {
  it("is refused with a sentence on a connection that is open, and the connection is cut", async () => {
    await using port = await open();
    using late = asker(port.port, await credentials("repo002", 3 * SECOND));
    expect(await late.ask()).toBe("200 repo002");
    const [socket] = late.sockets;
    const answers = await vi.waitFor(async () => {
      const answer = await late.ask();
      expect(answer).not.toBe("200 repo002");
      return answer;
    }, SOON);
    // The sweep may come first. Then a new connection is refused in its handshake.
    expect(answers).toMatch(/^403 The certificate of device repo002 ended at \S+Z; |hang up|ECONNRESET/);
    await vi.waitFor(() => expect(socket?.destroyed).toBe(true), SOON);
    await vi.waitFor(async () => expect(await late.ask()).toMatch(/hang up|ECONNRESET/), SOON);
    expect(port.log).toContainEqual(
      expect.objectContaining({ err: expect.stringMatching(/^The certificate of device repo002 ended at \S+Z; /) }),
    );
  });

  it("is refused by the request itself, without the sweep", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      await using port = await open();
      using late = asker(port.port, await credentials("repo002", 0.5));
      expect(await late.ask()).toBe("200 repo002");
      vi.setSystemTime(Date.now() + 0.6 * 86_400_000);
      expect(await late.ask()).toMatch(/^403 The certificate of device repo002 ended at \S+Z; |hang up/);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("a session", () => {
  /** Connects once with `session` and returns whether it was resumed, and the newest session that the server gave. */
  async function resumed(port: number, tls: SecureContextOptions, session?: Buffer) {
    const socket = connect({ ...tls, port, host: "127.0.0.1", ...(session && { session }) });
    let given: Buffer | undefined;
    socket.on("session", (one) => {
      given = one;
    });
    await once(socket, "secureConnect");
    const reused = socket.isSessionReused();
    socket.write("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    const said = await text(socket);
    return { resumed: reused, session: given, said };
  }

  it("is not resumed, so each connection shows its certificate", async () => {
    await using port = await open();
    const tls = await credentials("repo002");
    const first = await resumed(port.port, tls);
    const second = await resumed(port.port, tls, first.session);
    expect(second).toMatchObject({ resumed: false, said: expect.stringContaining("repo002") });
  });

  it("control: it is resumed where tickets are given", async () => {
    await using port = await open({ tls: { secureOptions: 0 } });
    const tls = await credentials("repo002");
    const first = await resumed(port.port, tls);
    expect(await resumed(port.port, tls, first.session)).toMatchObject({ resumed: true });
  });
});

describe("a connection", () => {
  it("is cut when its key is not trusted any more, and the log says why", async () => {
    const trust = new Trust();
    await using port = await open({ trust });
    using peer = asker(port.port, await credentials("repo002"));
    expect(await peer.ask()).toBe("200 repo002");
    expect(trust.asked[0]).toMatchObject({
      identity: { role: "device", name: "repo002" },
      key: { kind: "x509", fingerprint: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) },
    });
    trust.revoke();
    const [socket] = peer.sockets;
    await vi.waitFor(() => expect(socket?.destroyed).toBe(true), SOON);
    expect(await peer.ask()).toBe("403 The key was revoked.");
    expect(port.log).toContainEqual(expect.objectContaining({ peer: "device repo002", err: "The key was revoked." }));
  });

  it("is refused at its next request when the word of the change was lost", async () => {
    const trust = new Trust();
    await using port = await open({ trust });
    using peer = asker(port.port, await credentials("repo002"));
    expect(await peer.ask()).toBe("200 repo002");
    trust.revoke({ silently: true });
    expect(await peer.ask()).toBe("403 The key was revoked.");
    expect(peer.sockets.size).toBe(1);
  });

  it("a connection of a foreign authority gets no answer, and the log names whom the certificate claims", async () => {
    await using port = await open();
    const foreign = await createAuthority({ trustDomain, days: 1 });
    using mallory = asker(port.port, await credentials("repo002", 1, foreign));
    expect(await mallory.ask()).toMatch(/hang up|ECONNRESET/);
    expect(port.log).toContainEqual(
      expect.objectContaining({ err: expect.stringMatching(/^a certificate that says device repo002 was refused \(/) }),
    );
  });

  it("without a certificate gets no answer", async () => {
    await using port = await open();
    using nobody = asker(port.port, { ca: authority.certificatePem });
    expect(await nobody.ask()).toMatch(/hang up|ECONNRESET/);
    expect(port.log).toContainEqual(expect.objectContaining({ err: "it has shown no certificate" }));
  });

  it("takes no request beyond its greatest age", async () => {
    await using port = await open({ maxAgeMs: 300 });
    using peer = asker(port.port, await credentials("repo002"));
    expect(await peer.ask()).toBe("200 repo002");
    await vi.waitFor(async () => expect(await peer.ask()).toMatch(/^403 This connection is older than 0.3 s/), SOON);
  });
});

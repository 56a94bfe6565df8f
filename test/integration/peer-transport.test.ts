// The choice of a way to another device: https, ssh, or https and then ssh.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PeerLine } from "../../src/git/peers/peer-lines.ts";
import type { PeerTransport } from "../../src/sidecar/read-settings.ts";
import { questionsOf } from "../../src/sidecar/ways.ts";
import { freePort } from "../support/ports.ts";

/** A line that leads to `port`, and says which addresses it was asked for. */
function line(port: number): PeerLine & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    to(_, address) {
      asked.push(address);
      return { protocol: "http:", host: "127.0.0.1", port };
    },
    whyHungUp: () => "it hung up",
    checkAgain() {},
    [Symbol.dispose]() {},
  };
}

const BOTH = { device: "repo002", gitAddress: "git:7421", sshAddress: "ssh:22", sshUser: "git" };
let server: Server;
let status: number;
let closed: number;
let open: number;
beforeEach(async () => {
  status = 200;
  server = createServer((_, response) => response.writeHead(status).end('{"said":"hello"}'));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  open = (server.address() as AddressInfo).port;
  closed = await freePort();
});
afterEach(() => void server.close());

function ask(transport: PeerTransport, lines: { tls: PeerLine; ssh: PeerLine | undefined }) {
  const { askDirectory } = questionsOf(transport, lines);
  return async (peer: Parameters<typeof askDirectory>[0] = BOTH) =>
    await askDirectory(peer, {}, new AbortController().signal).catch((error: Error) => error.message);
}

describe("auto", () => {
  it("is https where the git port is reached", async () => {
    const [tls, ssh] = [line(open), line(open)];
    expect(await ask("auto", { tls, ssh })()).toEqual({ said: "hello" });
    expect([tls.asked, ssh.asked]).toEqual([["git:7421"], []]);
  });

  it("is ssh where it is not reached, and for a while at once", async () => {
    const [tls, ssh] = [line(closed), line(open)];
    const asks = ask("auto", { tls, ssh });
    expect(await asks()).toEqual({ said: "hello" });
    expect(await asks()).toEqual({ said: "hello" });
    expect([tls.asked, ssh.asked]).toEqual([["git:7421"], ["git@ssh:22", "git@ssh:22"]]);
  });

  it("is ssh for a device without a git port, and https for one without an sshd", async () => {
    const [tls, ssh] = [line(open), line(open)];
    const asks = ask("auto", { tls, ssh });
    await asks({ ...BOTH, gitAddress: "" });
    await asks({ device: "repo003", gitAddress: "git:7421", sshAddress: "" });
    expect([tls.asked, ssh.asked]).toEqual([["git:7421"], ["git@ssh:22"]]);
  });

  it("does not go round a refusal", async () => {
    status = 403;
    const [tls, ssh] = [line(open), line(open)];
    expect(await ask("auto", { tls, ssh })()).toContain("hello");
    expect(ssh.asked).toEqual([]);
  });
});

describe("one way only", () => {
  it("https never tries ssh", async () => {
    const [tls, ssh] = [line(closed), line(open)];
    expect(await ask("https", { tls, ssh })()).toContain("ECONNREFUSED");
    expect(await ask("https", { tls, ssh })({ ...BOTH, gitAddress: "" })).toContain("--peer-transport of this device");
    expect(ssh.asked).toEqual([]);
  });

  it("ssh never tries https", async () => {
    const [tls, ssh] = [line(open), line(closed)];
    expect(await ask("ssh", { tls, ssh })()).toContain("ECONNREFUSED");
    expect(await ask("ssh", { tls, ssh })({ ...BOTH, sshAddress: "" })).toContain("it has no --ssh-advertise");
    expect(await ask("ssh", { tls, ssh: undefined })()).toContain("this device has no --ssh-key");
    expect(tls.asked).toEqual([]);
  });
});

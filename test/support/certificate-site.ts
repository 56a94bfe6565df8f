// A device under test with its gRPC port, its git port and a gate, all behind TLS, and a registry of keys.
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { vi } from "vitest";
import { LockstepError } from "../../src/errors.ts";
import { type Gate, startGate } from "../../src/gate/gate.ts";
import { askForCertificates } from "../../src/gate/tls/connections.ts";
import { CLIENT_CERTIFICATES } from "../../src/gate/users/client-certificates.ts";
import { portOf } from "../../src/git-port/route.ts";
import { type PackListener, servePacks } from "../../src/git-port/server.ts";
import { type RpcServers, serveRpc } from "../../src/rpc/server.ts";
import { listenForHeads } from "../../src/store/database/notifications.ts";
import { removeDevice } from "../../src/store/device/devices.ts";
import { revokeKey, trustKey } from "../../src/store/registry/registry.ts";
import { Registry } from "../../src/sync/registry/registry.ts";
import { certificateKey } from "../../src/tls/peer-certificate.ts";
import { Peers } from "../../src/tls/peers.ts";
import type { Place } from "./certificate-asks.ts";
import {
  type Authorities,
  HELD,
  makeAuthorities,
  OTHER,
  spiffe,
  TRUST_DOMAIN,
  type Trust,
} from "./certificate-kinds.ts";
import { BOTH, certify, dns, type Made, type Shown, shown } from "./certificate-maker.ts";
import { GATE_LIMITS } from "./gate-site.ts";
import { LIMITS } from "./limits.ts";
import { TestCluster } from "./sync-cluster.ts";
import { SOON, type TestDevice } from "./sync-device.ts";

/** What the gate says to those that it lets in. */
export const LET_IN = "This gate lets you in, and has no repositories.";

const listen = { host: "127.0.0.1", port: 0 };

/** The device repo001. It has HELD and OTHER; the device repo002, which does not run, should hold HELD. */
export class CertificateSite implements AsyncDisposable, Trust {
  readonly authorities: Authorities;
  readonly cluster: TestCluster;
  readonly device: TestDevice;
  readonly registry: Registry;
  readonly peers: Peers;
  readonly rpc: RpcServers;
  readonly git: PackListener;
  readonly gate: Gate;
  /** The ids of the repositories. */
  readonly ids: Readonly<Record<string, string>>;
  readonly #own: Shown;
  readonly #over: AbortController;
  readonly #listening: Promise<void>;

  private constructor(
    parts: Pick<
      CertificateSite,
      "authorities" | "cluster" | "device" | "registry" | "peers" | "rpc" | "git" | "gate" | "ids"
    >,
    own: Shown,
    over: AbortController,
    listening: Promise<void>,
  ) {
    ({ authorities: this.authorities, cluster: this.cluster, device: this.device, registry: this.registry } = parts);
    ({ peers: this.peers, rpc: this.rpc, git: this.git, gate: this.gate, ids: this.ids } = parts);
    this.#own = own;
    this.#over = over;
    this.#listening = listening;
  }

  /** `trustsCa`: a new name is let in with the first key that it shows. */
  static async make({ trustsCa = false } = {}): Promise<CertificateSite> {
    const authorities = await makeAuthorities();
    const cluster = await TestCluster.make();
    const device = await cluster.start("repo001");
    const { context } = device;
    const ids = { [HELD]: await cluster.create(HELD, [device]), [OTHER]: await cluster.create(OTHER, [device]) };
    for (const name of ["repo002", "repo003", "repo004"])
      await cluster.sql("insert into lockstep.device (name) values ($1)", [name]);
    await cluster.sql("insert into lockstep.replica (repository_id, device) values ($1, 'repo002')", [ids[HELD]]);
    const own = await certify({
      names: [spiffe("device", "repo001"), dns("localhost")],
      uses: BOTH,
      by: authorities.root,
    });
    const ca = pemOf([authorities.root, authorities.second, authorities.ended]);
    const tls = { ...shown(own), ca };
    const { log, db } = context;
    const registry = new Registry({ db, device: device.name, trustsCa, log });
    const over = new AbortController();
    // The only thing that makes it look again: so what ends at a change has ended because of the notification.
    const look = () => void registry.look().catch(() => {});
    const heads = { onHeads: () => {}, onCommands: () => {}, onRegistry: look, onReconnect: look };
    const listening = listenForHeads(
      db,
      { url: cluster.url, applicationName: "repo001" },
      "repo001",
      heads,
      over.signal,
    );
    const peers = new Peers({ trustDomain: TRUST_DOMAIN, trust: registry, log });
    const git = await servePacks(context, {
      ...{ listen, tls, peers, handshakes: LIMITS.handshakes },
      port: portOf(context, LIMITS.portLimits),
    });
    const rpc = await serveRpc(context, {
      ...{ socketPath: join(cluster.dir, "rpc.sock"), listen, tls, peers, limits: LIMITS.rpcLimits, log },
      accessOf: (caller) => registry.accessOf(caller),
      onRefused: () => {},
    });
    const gate = await startGate({
      ...{
        ...listen,
        ...GATE_LIMITS,
        root: context.root,
        socketDir: "/nowhere/lockstep",
        hostNames: new Set<string>(),
      },
      tls: {
        current: { options: { ...tls, ...askForCertificates(ca) }, authorities: new Set(), isRevoked: () => false },
        onChange: () => {},
      },
      users: { anonymous: { read: false, write: false }, sources: [CLIENT_CERTIFICATES] },
      // Whoever gets here was let in.
      beforeRead: async () => {
        throw new LockstepError("REPOSITORY_NOT_FOUND", LET_IN);
      },
      log: { info: () => {}, warn: () => {}, error: () => {} },
      env: { PATH: process.env.PATH ?? "", HOME: cluster.dir },
    });
    return new CertificateSite(
      { authorities, cluster, device, registry, peers, rpc, git, gate, ids },
      shown(own),
      over,
      listening,
    );
  }

  get ca(): string {
    return this.authorities.root.certificate.toString("pem");
  }

  get grpcPlace(): Place {
    return { port: this.rpc.port, ca: this.ca };
  }

  get gitPlace(): Place {
    return { port: this.git.port, ca: this.ca };
  }

  get gatePlace(): Place {
    return { port: Number(new URL(this.gate.url).port), ca: this.ca };
  }

  trust: Trust["trust"] = async (role, name, { certificate }, access) => {
    const limits = access && { repositories: access.repositories ?? [], readOnly: access.readOnly ?? false };
    const key = certificateKey(certificate.toString("pem"));
    await trustKey(this.device.context.db, { role, name }, { key, access: limits, author: "ada" });
  };

  revoke: Trust["revoke"] = async (role, name, made?: Made) => {
    const fingerprint = made && certificateKey(made.certificate.toString("pem")).fingerprint;
    await revokeKey(this.device.context.db, { role, name }, { fingerprint, author: "ada", reason: "a test" });
  };

  removeDevice: Trust["removeDevice"] = async (name) => {
    await removeDevice(this.device.context.db, name, "ada");
  };

  /** Takes the second authority away, as a new file of --tls-ca does. */
  forgetSecond(): void {
    const { root, ended } = this.authorities;
    const tls = { ...this.#own, ca: pemOf([root, ended]) };
    this.rpc.use(tls, 60_000);
    this.git.use(tls);
    const left = [root, ended].map(
      ({ certificate }) => new X509Certificate(certificate.toString("pem")).fingerprint256,
    );
    this.peers.renew(new Set(left), 60_000);
  }

  /** Waits until the copy of the registry has everything that was said to the database so far. */
  async settled(): Promise<void> {
    await vi.waitFor(async () => await this.registry.look(), SOON);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#listening;
    await this.gate[Symbol.asyncDispose]();
    await this.rpc.stop(0);
    await this.git[Symbol.asyncDispose]();
    this.peers[Symbol.dispose]();
    await this.cluster[Symbol.asyncDispose]();
  }
}

function pemOf(all: readonly Made[]): string {
  return all.map(({ certificate }) => certificate.toString("pem")).join("\n");
}

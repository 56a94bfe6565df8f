// The services of a device in the test's own process, with a client.
import { join } from "node:path";
import { Client } from "../../src/client/client.ts";
import { serveRpc } from "../../src/rpc/server.ts";
import { Peers } from "../../src/tls/peers.ts";
import { authorityIn, contentsOf, credentialsOf, TRUST_DOMAIN } from "./git-port.ts";
import { LIMITS } from "./limits.ts";
import type { TestDevice } from "./sync-device.ts";
import { trustAuthorities } from "./trust-authorities.ts";

/** Opens the services of a device on a unix socket. */
export async function serveDevice({
  context,
  cluster,
  name,
}: TestDevice): Promise<AsyncDisposable & { client: Client }> {
  const authority = await authorityIn(credentialsOf(cluster));
  const socketPath = join(cluster.dir, "rpc.sock");
  const rpc = await serveRpc(context, {
    socketPath,
    listen: { host: "127.0.0.1", port: 0 },
    tls: await contentsOf(await authority.issue("device", name)),
    peers: new Peers({ trustDomain: TRUST_DOMAIN, trust: trustAuthorities, log: context.log }),
    limits: LIMITS.rpcLimits,
    log: context.log,
    accessOf: () => undefined,
    onRefused: () => {},
  });
  const client = new Client({ socket: socketPath });
  return {
    client,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await rpc.stop(1_000);
    },
  };
}

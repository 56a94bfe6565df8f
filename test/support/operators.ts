// A cluster with an operator's client at the TLS port of each device. The client uses nothing from src/.
import { type Cluster, startCluster } from "./cluster.ts";
import type { Device } from "./cluster-device.ts";
import { type Pusher, pusher } from "./pusher.ts";
import { type Message, type Stranger, stranger, tlsCredentials } from "./stranger.ts";

export interface OperatedCluster extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly one: Device;
  readonly three: Device;
  readonly ada: Pusher;
  readonly at: Readonly<Record<"one" | "two" | "three", Stranger>>;
  /** Creates a repository with `versions` commits on main, which every device holds. */
  repositoryAt(versions: number): Promise<{ repository: string; commits: string[] }>;
}

export async function startOperatedCluster(): Promise<OperatedCluster> {
  const cluster = await startCluster();
  const { ca, operator } = cluster.demo.line;
  const [one, two, three] = cluster.devices as [Device, Device, Device];
  const connect = (device: Device) => stranger(device.demo.grpc, tlsCredentials(ca, operator));
  const at = { one: connect(one), two: connect(two), three: connect(three) };
  const ada = await pusher(cluster.git, "ada");
  return {
    cluster,
    one,
    three,
    ada,
    at,
    async repositoryAt(versions) {
      const repository = await cluster.createRepository();
      const commits: string[] = [];
      for (let version = 1; version <= versions; version += 1) {
        commits.push(await ada.commit(commits.at(-1)));
        await ada.land(one.url(repository), `${commits.at(-1)}:refs/heads/main`);
      }
      await Promise.all(Object.values(at).map((client) => client.call("BeforeRead", { repository })));
      return { repository, commits };
    },
    async [Symbol.asyncDispose]() {
      for (const client of Object.values(at)) client[Symbol.dispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

/** Returns all messages of a stream. */
export async function collect(messages: AsyncIterable<Message>): Promise<Message[]> {
  const found: Message[] = [];
  for await (const message of messages) found.push(message);
  return found;
}

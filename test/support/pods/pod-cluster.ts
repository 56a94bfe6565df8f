// The pods of an overlay in a network of their own, with its services, a PostgreSQL and a client with stock git.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type GitSandbox, gitSandbox, type RunResult } from "../git.ts";
import { findProgram } from "../programs.ts";
import type { Image } from "./image.ts";
import { type Manifest, portOf, serviceOf, statefulSetOf } from "./manifests.ts";
import { Pod } from "./pod.ts";
import { HUB, type Namespace, PodNetwork } from "./pod-network.ts";
import type { VolumeContents } from "./pod-volumes.ts";

const FIRST_POD = 10;
const SERVICE = 100;
const DATABASE = { host: HUB, port: 5432 };
const SOCKET = "database.sock";

/** Returns the reasons why this machine cannot run pods. */
export function podsMissing(): string[] {
  if (process.getuid?.() !== 0) return ["this is not root"];
  const programs = [
    findProgram("kubectl", "none; see https://kubernetes.io/docs/tasks/tools"),
    findProgram("ip", "iproute2"),
    ...["unshare", "nsenter", "setpriv", "prlimit"].map((name) => findProgram(name, "util-linux")),
  ].flatMap((found) => ("missing" in found ? [found.missing] : []));
  if (programs.length > 0) return programs;
  const tried = "mount --make-rprivate / && ip link add pods type bridge && ip link add pod type veth peer name eth0";
  const argv = ["--mount", "--net", "--pid", "--fork", "sh", "-c", tried];
  const { status, stderr } = spawnSync("unshare", argv, { encoding: "utf8" });
  return status === 0 ? [] : [`namespaces cannot be made here: ${stderr}`];
}

/** Returns the path of kubectl. */
export function kubectl(): string {
  return (findProgram("kubectl", "kubectl") as { path: string }).path;
}

export interface PodClusterOptions {
  readonly manifests: readonly Manifest[];
  readonly imageOf: (reference: string) => Image;
  readonly contents: (podName: string) => VolumeContents;
  /** The PostgreSQL of the test. The pods reach it as `databaseHost`, port 5432. */
  readonly database: { readonly host: string; readonly port: number };
  readonly databaseHost: string;
}

/** The pods of one overlay. Disposal ends them. */
export class PodCluster implements AsyncDisposable {
  readonly network: PodNetwork;
  readonly pods: readonly Pod[];
  readonly client: GitSandbox;
  readonly dir: string;
  readonly manifests: readonly Manifest[];
  readonly #places: readonly Namespace[];
  readonly #database: Server;
  readonly #hosts: string;

  private constructor(parts: {
    network: PodNetwork;
    pods: Pod[];
    client: GitSandbox;
    dir: string;
    manifests: readonly Manifest[];
    places: Namespace[];
    database: Server;
    hosts: string;
  }) {
    this.network = parts.network;
    this.pods = parts.pods;
    this.client = parts.client;
    this.dir = parts.dir;
    this.manifests = parts.manifests;
    this.#places = parts.places;
    this.#database = parts.database;
    this.#hosts = parts.hosts;
  }

  /** Makes the network and the pods. It starts none. */
  static async make(options: PodClusterOptions): Promise<PodCluster> {
    const dir = await mkdtemp(join(tmpdir(), "ls-pods-"));
    const set = statefulSetOf(options.manifests) as ReturnType<typeof statefulSetOf> & Manifest;
    const network = await PodNetwork.open();
    const socket = join(dir, SOCKET);
    const database = await relayDatabase(socket, options.database);
    await network.relay(DATABASE, [{ path: socket }]);
    await network.addAddress(SERVICE);
    const places: Namespace[] = [];
    for (let index = 0; index < (set.spec?.replicas ?? 1); index += 1)
      places.push(await network.join(FIRST_POD + index));
    const names = places.map((_, index) => `${set.metadata.name}-${index}`);
    const hosts = join(dir, "hosts");
    await writeFile(hosts, hostsOf(options, places, names));
    const pods = places.map((place, index) => {
      const name = names[index] as string;
      const contents = options.contents(name);
      return new Pod({ name, set, network, place, dir: join(dir, name), imageOf: options.imageOf, contents, hosts });
    });
    return new PodCluster({
      network,
      pods,
      client: await gitSandbox(),
      dir,
      manifests: options.manifests,
      places,
      database,
      hosts,
    });
  }

  /** Lets a service lead to these pods, as if no other one were ready. */
  async lead(service: string, pods: readonly Pod[] = this.pods): Promise<void> {
    for (const { port, targetPort } of serviceOf(this.manifests, service).spec?.ports ?? []) {
      const to = pods.map((pod) => {
        const container = pod.site.set.spec?.template.spec?.containers[0];
        return { host: pod.address, port: portOf(container ?? {}, targetPort ?? port) };
      });
      await this.network.relay({ host: serviceAddress(), port }, to);
    }
  }

  /** Lets the pods reach PostgreSQL, or cuts it off. */
  async leadDatabase(reachable: boolean): Promise<void> {
    await this.network.relay(DATABASE, reachable ? [{ path: join(this.dir, SOCKET) }] : []);
  }

  /** Runs stock git outside the pods, with the names of the cluster. */
  async git(args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}): Promise<RunResult> {
    const script = 'mount --make-rprivate / && mount --bind "$1" /etc/hosts && shift && exec git "$@"';
    const argv = [`--net=${this.network.path}`, "unshare", "--mount", "sh", "-c", script, "sh", this.#hosts, ...args];
    return await this.client.run(["-c", `alias.inside=!nsenter ${argv.map(quote).join(" ")}`, "inside"], options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.pods.map((pod) => pod.kill()));
    for (const place of this.#places) await place[Symbol.asyncDispose]();
    await this.network[Symbol.asyncDispose]();
    this.#database.close();
    await this.client[Symbol.asyncDispose]();
    execFileSync("rm", ["-rf", "--one-file-system", this.dir]);
  }
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function serviceAddress(): string {
  return HUB.replace(/\d+$/, String(SERVICE));
}

/** The names of the cluster's DNS: a headless service has one for each pod, another service has one address. */
function hostsOf(
  { manifests, databaseHost }: PodClusterOptions,
  places: readonly Namespace[],
  names: string[],
): string {
  const lines = ["127.0.0.1 localhost", `${HUB} ${databaseHost}`];
  for (const manifest of manifests.filter(({ kind }) => kind === "Service")) {
    const { name, namespace } = manifest.metadata;
    const suffixes = [`${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`];
    if (serviceOf(manifests, name).spec?.clusterIP !== "None") lines.push(`${serviceAddress()} ${suffixes.join(" ")}`);
    else
      for (const [index, { address }] of places.entries())
        lines.push(`${address} ${suffixes.map((suffix) => `${names[index]}.${suffix}`).join(" ")}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** Passes connections to a unix socket on to a PostgreSQL, which the network of the pods does not reach. */
export async function relayDatabase(path: string, { host, port }: { host: string; port: number }): Promise<Server> {
  const server = createServer((client) => {
    const upstream = connect({ host, port });
    client.on("error", () => upstream.destroy()).pipe(upstream);
    upstream.on("error", () => client.destroy()).pipe(client);
  });
  await new Promise<void>((done, failed) => server.once("error", failed).listen(path, done));
  return server;
}

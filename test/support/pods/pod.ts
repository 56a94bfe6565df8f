// Starts and ends a pod in the order of a kubelet. Init containers come first, one after another. A sidecar among them
// holds up the next container until its startup probe has succeeded, and it ends after the containers.
import { mkdir, mkdtemp, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { StatefulSet } from "kubernetes-types/apps/v1.js";
import type { Container, PodSpec, Probe, VolumeMount } from "kubernetes-types/core/v1.js";
import { type Mount, RunningContainer } from "./container.ts";
import type { Image } from "./image.ts";
import { type Manifest, portOf } from "./manifests.ts";
import type { Namespace, PodNetwork } from "./pod-network.ts";
import { PodVolumes, type VolumeContents } from "./pod-volumes.ts";

const POLL_MS = 100;
const FAILS_WITHIN_MS = 20_000;

export interface PodSite {
  readonly name: string;
  readonly set: StatefulSet & Manifest;
  readonly network: PodNetwork;
  readonly place: Namespace;
  readonly dir: string;
  /** The image of a container, by the name that its manifest has for it. */
  readonly imageOf: (reference: string) => Image;
  readonly contents: VolumeContents;
  /** The file /etc/hosts of the pod, in place of the DNS of the cluster. */
  readonly hosts: string;
}

/** What happened at the end of a pod, in this order. */
export interface Ending {
  readonly events: readonly string[];
  readonly seconds: number;
}

/** A pod of the stateful set. */
export class Pod {
  readonly site: PodSite;
  readonly volumes: PodVolumes;
  readonly #containers = new Map<string, RunningContainer>();
  readonly #spec: PodSpec;

  constructor(site: PodSite) {
    this.site = site;
    this.#spec = site.set.spec?.template.spec as PodSpec;
    this.volumes = new PodVolumes(site.dir, this.#spec.securityContext?.fsGroup as number, site.contents);
  }

  get address(): string {
    return this.site.place.address;
  }

  /** Starts all containers. Resolves when the last one has been started. */
  async start(): Promise<void> {
    await mkdir(this.site.dir, { recursive: true });
    await this.volumes.make(this.site.set);
    for (const spec of this.#spec.initContainers ?? []) {
      const container = await this.#run(spec);
      if (spec.restartPolicy === "Always") {
        if (spec.startupProbe) await this.untilProbed(spec.name, spec.startupProbe);
      } else if ((await container.ended) !== 0) throw new Error(`${spec.name} failed:\n${await container.log()}`);
    }
    for (const spec of this.#spec.containers) await this.#run(spec);
  }

  /** Resolves when all containers are ready. */
  async untilReady(): Promise<void> {
    for (const { name, readinessProbe } of [...(this.#spec.initContainers ?? []), ...this.#spec.containers])
      if (readinessProbe && this.#containers.has(name)) await this.untilProbed(name, readinessProbe);
  }

  /** Starts one more container without one of its mounts. Returns its exit code, or undefined if it goes on. */
  async runWithout(spec: Container, mountPath: string): Promise<number | null | undefined> {
    const container = await this.#start(spec, (mount) => mount.mountPath !== mountPath);
    const ended = await Promise.race([container.ended, delay(FAILS_WITHIN_MS, undefined, { ref: false })]);
    await container.signal("SIGKILL");
    await container.ended;
    return ended;
  }

  /** Returns a container that was started. */
  container(name: string): RunningContainer {
    const found = this.#containers.get(name);
    if (!found) throw new Error(`no container ${name} was started in ${this.site.name}`);
    return found;
  }

  /** Asks once, as a kubelet does. Throws if the probe fails. */
  async probe(name: string, { httpGet, tcpSocket, exec, timeoutSeconds = 1 }: Probe): Promise<void> {
    const { spec } = this.container(name).plan;
    const place = (port: number | string) => ({
      host: this.address,
      port: portOf(spec, port),
      timeoutMs: timeoutSeconds * 1_000,
    });
    if (tcpSocket) await this.site.network.connect(place(tcpSocket.port));
    else if (exec) await this.container(name).exec(exec.command ?? []);
    else if (httpGet) {
      const answer = await this.site.network.get({ ...place(httpGet.port), path: httpGet.path ?? "/" });
      if (answer.status < 200 || answer.status >= 400)
        throw new Error(`${httpGet.path}: ${answer.status} ${answer.text}`);
    } else throw new Error(`a probe of ${name} asks nothing`);
  }

  /** Resolves when the probe has succeeded. Throws when it has failed as long as the manifest allows. */
  async untilProbed(name: string, probe: Probe): Promise<void> {
    const { failureThreshold = 3, periodSeconds = 10 } = probe;
    const deadline = Date.now() + Math.max(failureThreshold * periodSeconds, 30) * 1_000;
    for (;;) {
      try {
        return await this.probe(name, probe);
      } catch (cause) {
        const container = this.container(name);
        if (container.hasEnded || Date.now() > deadline)
          throw new Error(`${name} of ${this.site.name} does not answer:\n${await container.log()}`, { cause });
        await delay(POLL_MS);
      }
    }
  }

  /**
   * Ends the pod: preStop and SIGTERM for the containers, then SIGTERM for the sidecars in the reverse order. When the
   * grace of the manifest is over, SIGKILL. Returns what happened.
   */
  async stop(): Promise<Ending> {
    const events: string[] = [];
    const began = Date.now();
    const grace = (this.#spec.terminationGracePeriodSeconds ?? 30) * 1_000;
    const endOne = async (spec: Container) => {
      const container = this.container(spec.name);
      const { exec } = spec.lifecycle?.preStop ?? {};
      if (exec) await container.exec(exec.command ?? []);
      if (exec) events.push(`${spec.name}: preStop`);
      const kill = setTimeout(() => void container.signal("SIGKILL"), began + grace - Date.now());
      await container.signal("SIGTERM");
      events.push(`${spec.name}: ended with ${await container.ended}`);
      clearTimeout(kill);
    };
    await Promise.all(this.#spec.containers.map(endOne));
    const sidecars = this.#spec.initContainers?.filter(({ restartPolicy }) => restartPolicy === "Always") ?? [];
    for (const sidecar of sidecars.reverse()) await endOne(sidecar);
    return { events, seconds: (Date.now() - began) / 1_000 };
  }

  /** Kills all containers at once, as the loss of a node does. */
  async kill(): Promise<void> {
    await Promise.all([...this.#containers.values()].map((each) => each.signal("SIGKILL").catch(() => {})));
    await Promise.all([...this.#containers.values()].map(({ ended }) => ended));
  }

  async #run(spec: Container): Promise<RunningContainer> {
    const container = await this.#start(spec);
    this.#containers.set(spec.name, container);
    return container;
  }

  async #start(spec: Container, isWanted: (mount: VolumeMount) => boolean = () => true): Promise<RunningContainer> {
    const image = this.site.imageOf(spec.image ?? "");
    const env = { ...image.env, ...this.#envOf(spec) };
    await mkdir(this.site.dir, { recursive: true });
    const dir = await mkdtemp(join(this.site.dir, `container-${spec.name}-`));
    const passwd = join(dir, "passwd");
    await writeFile(passwd, image.passwd);
    const argv = [...(spec.command ?? image.entrypoint), ...(spec.args ?? (spec.command ? [] : image.command))];
    const mounts = (spec.volumeMounts ?? []).filter(isWanted);
    return await RunningContainer.start({
      spec,
      security: this.#spec.securityContext ?? {},
      image,
      env,
      argv: argv.map((word) => expand(word, env)),
      mounts: [
        { source: this.site.hosts, target: "/etc/hosts", readOnly: true, isFile: true },
        { source: passwd, target: "/etc/passwd", readOnly: true, isFile: true },
        ...(await Promise.all(mounts.map((mount) => this.#mount(mount, env)))),
      ],
      network: this.site.place.path,
      dir,
    });
  }

  /** A variable may use those before it. */
  #envOf(spec: Container): Record<string, string> {
    const fields: Record<string, string> = {
      "metadata.name": this.site.name,
      "metadata.namespace": this.site.set.metadata.namespace as string,
      "status.podIP": this.address,
    };
    const env: Record<string, string> = {};
    for (const { name, value, valueFrom } of spec.env ?? []) {
      const field = valueFrom?.fieldRef?.fieldPath;
      if (field !== undefined && fields[field] === undefined) throw new Error(`this test does not know ${field}`);
      env[name] = field === undefined ? expand(value ?? "", env) : (fields[field] as string);
    }
    return env;
  }

  async #mount(mount: VolumeMount, env: Readonly<Record<string, string>>): Promise<Mount> {
    const below = mount.subPathExpr === undefined ? (mount.subPath ?? "") : expand(mount.subPathExpr, env);
    const source = join(this.volumes.path(mount.name), below);
    const isFile = (await stat(source)).isFile();
    return { source, target: mount.mountPath, readOnly: mount.readOnly ?? false, isFile };
  }
}

/** Replaces $(NAME). An unknown name stays as it is, which Kubernetes does too. */
function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$\((\w+)\)/g, (whole, name: string) => env[name] ?? whole);
}

// Starts the pods of an overlay on a database of their own, with the secrets that docs/kubernetes.md makes.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Container } from "kubernetes-types/core/v1.js";
import { documentedSecrets, USER } from "./documented-secrets.ts";
import type { Image } from "./image.ts";
import { configMapsOf, containersOf, type Manifest, render, statefulSetOf } from "./manifests.ts";
import type { Pod } from "./pod.ts";
import { kubectl, PodCluster } from "./pod-cluster.ts";
import type { CsiDriver } from "./pod-volumes.ts";

export const REPOSITORY = "team/app";

export interface OverlayOptions {
  /** The folder below deploy/kubernetes/overlays. */
  readonly name: string;
  /** The image of a container, by the name that its manifest has for it. */
  readonly imageOf: (reference: string) => Image;
  /** The blocks of docs/kubernetes.md that make secrets, each with its places for a database with this URL. */
  readonly blocks: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Secrets that an operator of the cluster makes. */
  readonly secrets?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly drivers?: (podName: string) => Readonly<Record<string, CsiDriver>>;
  /** The URL of the PostgreSQL of this test. */
  readonly databaseUrl: string;
  /** The name under which the pods reach it. */
  readonly databaseHost: string;
  /** Makes files that the blocks need. */
  readonly prepare?: (dir: string) => Promise<void>;
}

/** The pods of an overlay, with one repository and a work tree. Disposal ends them. */
export class Overlay implements AsyncDisposable {
  readonly cluster: PodCluster;
  readonly containers: readonly Container[];
  readonly pods: readonly [Pod, Pod, Pod];
  /** The directory with the files of the blocks. */
  readonly dir: string;
  #work = "";

  private constructor(cluster: PodCluster, dir: string) {
    this.cluster = cluster;
    this.dir = dir;
    this.pods = cluster.pods as [Pod, Pod, Pod];
    this.containers = containersOf(statefulSetOf(cluster.manifests));
  }

  /** Starts the pods, makes the repository, and resolves when all pods are ready. */
  static async start(options: OverlayOptions): Promise<Overlay> {
    const dir = await mkdtemp(join(tmpdir(), "ls-secrets-"));
    const manifests: Manifest[] = await render(kubectl(), options.name);
    await options.prepare?.(dir);
    const contents = new Map([...configMapsOf(manifests), ...Object.entries(options.secrets ?? {})]);
    for (const [block, places] of Object.entries(options.blocks))
      for (const [name, secret] of await documentedSecrets(block, dir, places))
        contents.set(name, { ...contents.get(name), ...secret });
    const { hostname, port } = new URL(options.databaseUrl);
    const cluster = await PodCluster.make({
      ...options,
      manifests,
      contents: (podName) => ({ secrets: contents, drivers: options.drivers?.(podName) ?? {} }),
      database: { host: hostname, port: Number(port) },
    });
    const overlay = new Overlay(cluster, dir);
    try {
      await Promise.all(overlay.pods.map((pod) => pod.start()));
      await Promise.all(overlay.pods.map((pod) => pod.untilReady()));
      await overlay.pods[0].container("lockstep").exec(["lockstep", "repo", "create", REPOSITORY]);
      overlay.#work = await cluster.client.workTree("work");
    } catch (error) {
      await overlay[Symbol.asyncDispose]();
      throw error;
    }
    return overlay;
  }

  /** Runs `check` for each container of each pod. */
  async each(check: (pod: Pod, spec: Container) => Promise<void>): Promise<void> {
    for (const pod of this.pods) for (const spec of this.containers) await check(pod, spec);
  }

  /** Makes a commit and returns its id. */
  async commit(name: string): Promise<string> {
    return await this.cluster.client.commit(this.#work, name, { [name]: name });
  }

  /** Pushes the newest commit to main of the repository behind `url`, at this pod. */
  async push(pod: Pod, url: string, env: Record<string, string> = {}) {
    await this.cluster.lead("git", [pod]);
    return await this.cluster.git(["push", "--quiet", url, "HEAD:refs/heads/main"], { cwd: this.#work, env });
  }

  /** Returns the refs that this pod shows. */
  async refs(pod: Pod, url: string, env: Record<string, string> = {}): Promise<string> {
    await this.cluster.lead("git", [pod]);
    return (await this.cluster.git(["ls-remote", url], { env })).stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** The address of the repository at the gate. */
export const GATE_URL = `http://${USER}:secret@git.git.svc/${REPOSITORY}.git`;

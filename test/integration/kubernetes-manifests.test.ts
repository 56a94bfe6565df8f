// The objects of deploy/kubernetes against the types of Kubernetes and of the custom resources. The compiler finds
// unknown fields, missing fields and values of the wrong type.
import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { containersOf, KUBERNETES, type Manifest, objectOf, render, statefulSetOf } from "../support/pods/manifests.ts";
import { findProgram } from "../support/programs.ts";

const kubectl = findProgram("kubectl", "none; see https://kubernetes.io/docs/tasks/tools");
if ("missing" in kubectl) console.warn(`The types of the manifests are not checked: ${kubectl.missing}.`);
const path = (relative: string) => fileURLToPath(new URL(`../../${relative}`, import.meta.url));
const MODULES = path("node_modules");

/** Where the type of an object is, and what it is called there. */
const TYPES: Readonly<Record<string, readonly [file: string, name: string]>> = {
  "v1/Namespace": [`${MODULES}/kubernetes-types/core/v1.js`, "Namespace"],
  "v1/Service": [`${MODULES}/kubernetes-types/core/v1.js`, "Service"],
  "v1/ConfigMap": [`${MODULES}/kubernetes-types/core/v1.js`, "ConfigMap"],
  "apps/v1/StatefulSet": [`${MODULES}/kubernetes-types/apps/v1.js`, "StatefulSet"],
  "networking.k8s.io/v1/NetworkPolicy": [`${MODULES}/kubernetes-types/networking/v1.js`, "NetworkPolicy"],
  "policy/v1/PodDisruptionBudget": [`${MODULES}/kubernetes-types/policy/v1.js`, "PodDisruptionBudget"],
  "cert-manager.io/v1/Issuer": [`${MODULES}/@kubernetes-models/cert-manager/cert-manager.io/v1/Issuer.js`, "IIssuer"],
  "cert-manager.io/v1/Certificate": [
    `${MODULES}/@kubernetes-models/cert-manager/cert-manager.io/v1/Certificate.js`,
    "ICertificate",
  ],
  "monitoring.coreos.com/v1/PodMonitor": [
    `${MODULES}/@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor.js`,
    "IPodMonitor",
  ],
  "postgresql.cnpg.io/v1/Cluster": [path("test/support/pods/cloudnative-pg.ts"), "PostgresCluster"],
};

/** The attributes that the csi-driver of cert-manager knows, and that are not only for keystores. It ignores others. */
const CSI_ATTRIBUTES = [
  ...["issuer-name", "issuer-kind", "issuer-group", "common-name", "dns-names", "ip-sans", "uri-sans", "duration"],
  ...["is-ca", "key-usages", "key-algorithm", "key-encoding", "key-size", "ca-file", "certificate-file"],
  ...["privatekey-file", "fs-group", "renew-before", "reuse-private-key"],
].map((name) => `csi.cert-manager.io/${name}`);

interface Monitor {
  readonly spec: { readonly podMetricsEndpoints: readonly { readonly port: string }[] };
}

describe.skipIf("missing" in kubectl)("the manifests", () => {
  const overlays = new Map<string, Manifest[]>();
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "ls-manifests-"));
    for (const name of await readdir(path("deploy/kubernetes/overlays")))
      overlays.set(name, await render((kubectl as { path: string }).path, name));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  /** Renders an overlay of a copy of the manifests with one more part. */
  async function withPart(copy: string, overlay: string, part: string): Promise<Manifest[]> {
    const file = join(copy, "overlays", overlay, "kustomization.yaml");
    const text = await readFile(file, "utf8");
    await writeFile(
      file,
      text.replace(/^components:$/m, (line) => `${line}\n  - ${part}`),
    );
    return await render((kubectl as { path: string }).path, overlay, copy);
  }

  /** Returns what the compiler says against these objects. */
  async function compile(objects: readonly Manifest[]): Promise<string> {
    const lines = objects.map((object, index) => {
      const [file, type] = TYPES[`${object.apiVersion}/${object.kind}`] ?? [];
      if (file === undefined) throw new Error(`there is no type for ${object.apiVersion}/${object.kind}`);
      return `export const o${index}: import(${JSON.stringify(file)}).${type} = ${JSON.stringify(object, null, 1)};`;
    });
    const source = join(dir, "objects.ts");
    await writeFile(source, lines.join("\n"));
    const flags = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--allowImportingTsExtensions"];
    const argv = [join(MODULES, "typescript/bin/tsc"), "--ignoreConfig", ...flags, source];
    return await promisify(execFile)(process.execPath, argv, { cwd: dir }).then(
      ({ stdout }) => stdout,
      (error: { stdout: string }) => error.stdout,
    );
  }

  it("have no unknown field, no missing one, and no value of another type", async () => {
    expect(await compile([...overlays.values()].flat())).toBe("");
  });

  it("would be refused with an unknown field, at any depth, or without a required one", async () => {
    const set = JSON.stringify(statefulSetOf(overlays.get("gate") ?? []));
    const wrong = JSON.parse(set.replace('"failureThreshold"', '"failureTreshold"'));
    expect(await compile([wrong])).toMatch(/failureTreshold.* does not exist/);
    expect(await compile([JSON.parse(set.replace('"serviceName":"lockstep",', ""))])).toContain("serviceName");
    const cluster = objectOf(overlays.get("gate-managed") ?? [], "Cluster", "lockstep-database");
    const unknown = JSON.parse(JSON.stringify(cluster).replace('"dataDurability"', '"durability"'));
    expect(await compile([unknown])).toMatch(/durability.* does not exist/);
  });

  it("name only attributes that the csi-driver of cert-manager knows", () => {
    const volumes = [...overlays.values()].flatMap((each) => statefulSetOf(each).spec?.template.spec?.volumes ?? []);
    const attributes = volumes.flatMap(({ csi }) => Object.keys(csi?.volumeAttributes ?? {}));
    expect(attributes.length).toBeGreaterThan(0);
    for (const attribute of attributes) expect(CSI_ATTRIBUTES).toContain(attribute);
  });

  it("select the pods of the stateful set with every selector", () => {
    for (const objects of overlays.values()) {
      const { template } = statefulSetOf(objects).spec ?? {};
      const selectors = JSON.stringify(objects).matchAll(/"matchLabels":({[^}]*lockstep[^}]*})/g);
      for (const [, labels] of selectors) {
        const wanted = JSON.parse(labels as string);
        if (!("cnpg.io/cluster" in wanted)) expect(template?.metadata?.labels).toMatchObject(wanted);
      }
    }
  });

  it("keep a pod ready without PostgreSQL, unless the part readiness/with-database is added", async () => {
    const readinessOf = (objects: readonly Manifest[]) =>
      containersOf(statefulSetOf(objects)).find(({ name }) => name === "lockstep")?.readinessProbe?.httpGet?.path;
    const copy = join(dir, "kubernetes");
    await cp(KUBERNETES, copy, { recursive: true });
    for (const [name, objects] of overlays) {
      expect([name, readinessOf(objects)]).toEqual([name, "/readyz?exclude=database&exclude=lease"]);
      const added = await withPart(copy, name, "../../readiness/with-database");
      expect([name, readinessOf(added)]).toEqual([name, "/readyz"]);
      expect(await compile(added)).toBe("");
    }
  });

  it("have the ports that the monitor of pods asks for metrics", async () => {
    const copy = join(dir, "monitored");
    await cp(KUBERNETES, copy, { recursive: true });
    for (const [name, rendered] of overlays) {
      const isThere = rendered.some(({ kind }) => kind === "PodMonitor");
      const objects = isThere ? rendered : await withPart(copy, name, "../../monitoring/pod-monitor");
      expect(await compile(objects)).toBe("");
      const { spec } = objectOf(objects, "PodMonitor", "lockstep") as unknown as Monitor;
      const ports = containersOf(statefulSetOf(objects)).flatMap((each) => each.ports ?? []);
      const asked = spec.podMetricsEndpoints.filter(({ port }) => ports.some(({ name: known }) => known === port));
      expect([name, asked.length]).toEqual([name, name.startsWith("gate") ? 2 : 1]);
    }
  });
});

// Renders the manifests of deploy/kubernetes with `kubectl kustomize`, and finds objects in them.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { StatefulSet } from "kubernetes-types/apps/v1.js";
import type { ConfigMap, Container, Service } from "kubernetes-types/core/v1.js";
import { parseAllDocuments } from "yaml";

/** The directory of the manifests. */
export const KUBERNETES = fileURLToPath(new URL("../../../deploy/kubernetes", import.meta.url));

/** An object of any kind. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** Renders an overlay of a directory of manifests, or throws what kubectl says. */
export async function render(kubectl: string, overlay: string, manifests = KUBERNETES): Promise<Manifest[]> {
  const { stdout } = await promisify(execFile)(kubectl, ["kustomize", `${manifests}/overlays/${overlay}`]);
  return parseAllDocuments(stdout).map((document) => {
    if (document.errors[0]) throw document.errors[0];
    return document.toJS() as Manifest;
  });
}

/** Returns the only object of this kind and name. */
export function objectOf(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.filter((each) => each.kind === kind && each.metadata.name === name);
  if (found.length !== 1) throw new Error(`there are ${found.length} objects ${kind}/${name}`);
  return found[0] as Manifest;
}

/** Returns the stateful set. */
export function statefulSetOf(manifests: readonly Manifest[]): StatefulSet {
  return objectOf(manifests, "StatefulSet", "lockstep") as StatefulSet;
}

/** Returns the containers that run as long as the pod: its sidecars, then the others. */
export function containersOf(set: StatefulSet): Container[] {
  const { initContainers = [], containers = [] } = set.spec?.template.spec ?? {};
  return [...initContainers.filter(({ restartPolicy }) => restartPolicy === "Always"), ...containers];
}

/** Returns the keys of each config map. */
export function configMapsOf(manifests: readonly Manifest[]): Map<string, Readonly<Record<string, string>>> {
  const maps = manifests.filter(({ kind }) => kind === "ConfigMap") as (Manifest & ConfigMap)[];
  return new Map(maps.map(({ metadata, data = {} }) => [metadata.name, data]));
}

/** Returns a service. */
export function serviceOf(manifests: readonly Manifest[], name: string): Service {
  return objectOf(manifests, "Service", name) as Service;
}

/** Returns the number of a port of a container, which probes and services may name. */
export function portOf(container: Pick<Container, "ports">, port: number | string): number {
  if (typeof port === "number") return port;
  const found = container.ports?.find(({ name }) => name === port);
  if (!found) throw new Error(`no port of the container is called ${port}`);
  return found.containerPort;
}

/** Returns the number of bytes of a quantity, such as 512Mi. */
export function bytesOf(quantity: string): number {
  const [, number, unit = ""] = /^(\d+)(Ki|Mi|Gi)?$/.exec(quantity) ?? [];
  if (number === undefined) throw new Error(`${quantity} is no quantity that this test knows`);
  return Number(number) * 1_024 ** ["", "Ki", "Mi", "Gi"].indexOf(unit);
}

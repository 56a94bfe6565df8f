// Checks of pods that hold for each overlay.
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Probe } from "kubernetes-types/core/v1.js";
import { expect } from "vitest";
import { serviceOf } from "./manifests.ts";
import { type Overlay, REPOSITORY } from "./overlay.ts";
import { wasUsed } from "./pod-volumes.ts";

const SECOND_MS = 1_000;

/** Expects that each probe of each container answers, and that metrics are where the annotations say. */
export async function expectProbes({ cluster, pods, containers }: Overlay): Promise<void> {
  for (const pod of pods) {
    for (const { name, startupProbe, readinessProbe, livenessProbe } of containers) {
      const probes = [startupProbe, readinessProbe, livenessProbe].filter((each) => each !== undefined) as Probe[];
      expect(probes.length, `probes of ${name}`).toBeGreaterThan(1);
      for (const probe of probes) await pod.untilProbed(name, probe);
    }
    const annotations = pod.site.set.spec?.template.metadata?.annotations ?? {};
    const [port, path] = ["port", "path"].map((each) => annotations[`prometheus.io/${each}`] ?? "");
    const place = { host: pod.address, port: Number(port), path: path as string, timeoutMs: 5 * SECOND_MS };
    expect((await cluster.network.get(place)).text).toContain("lockstep_pushes_total");
  }
}

/** Expects that each port of the containers is open, and that these services lead to such ports. */
export async function expectPorts(overlay: Overlay, services: readonly string[]): Promise<void> {
  const ports = new Set<number>();
  await overlay.each(async (pod, spec) => {
    for (const { containerPort } of spec.ports ?? []) {
      await overlay.cluster.network.connect({ host: pod.address, port: containerPort, timeoutMs: SECOND_MS });
      ports.add(containerPort);
    }
  });
  for (const service of services)
    for (const { targetPort } of serviceOf(overlay.cluster.manifests, service).spec?.ports ?? [])
      expect([...ports]).toContain(targetPort);
}

/** Expects that each first process is user 1000 without rights, and that its root cannot be written to. */
export async function expectRestricted(overlay: Overlay): Promise<void> {
  await overlay.each(async (pod, { name }) => {
    const status = await pod.container(name).exec(["cat", "/proc/1/status"]);
    expect(status).toMatch(/^Uid:(\t1000){4}$/m);
    expect(status).toMatch(/^Groups:\t1000 $/m);
    expect(status).toMatch(/^CapBnd:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    await expect(pod.container(name).exec(["touch", "/written"])).rejects.toThrow(/Read-only file system/);
  });
}

/**
 * Expects that each writable volume has something in it, and that no container starts without one of its read-only
 * mounts. `others` are needed later: only for hooks, or for a push.
 */
export async function expectVolumes(overlay: Overlay, others: readonly string[]): Promise<void> {
  await overlay.each(async (pod, { name, volumeMounts = [] }) => {
    for (const { name: volume, mountPath, readOnly } of volumeMounts) {
      const write = pod.container(name).exec(["test", "-w", mountPath]);
      if (readOnly) await expect(write, `${name} can write to ${mountPath}`).rejects.toThrow();
      else await write;
      if (!others.includes(mountPath)) expect(await wasUsed(pod.volumes.path(volume)), volume).toBe(true);
    }
  });
  for (const spec of overlay.containers)
    for (const { mountPath, readOnly } of spec.volumeMounts ?? []) {
      if (!readOnly || others.includes(mountPath)) continue;
      const ended = await overlay.pods[0].runWithout(spec, mountPath);
      expect(ended, `${spec.name} without ${mountPath}`).toBeGreaterThan(0);
    }
}

/** A push whose hook runs for some seconds in a container. */
export interface SlowPush {
  readonly container: string;
  readonly url: string;
  readonly env?: Record<string, string>;
  readonly hookSeconds: number;
}

/**
 * Stops the last pod during a push. Expects that its containers end in this order and in time, and that the push lands.
 * Returns the new commit.
 */
export async function expectEndDuringPush(overlay: Overlay, push: SlowPush, order: unknown[]): Promise<string> {
  const [first, , last] = overlay.pods;
  const { container, url, env, hookSeconds } = push;
  const tip = await overlay.commit("second");
  const hook = join(last.volumes.path("repositories"), `${REPOSITORY}.git`, "hooks", "update");
  await writeFile(hook, `#!/bin/sh\ntouch /tmp/hook-runs\nsleep ${hookSeconds}\n`, { mode: 0o755 });
  const pushed = overlay.push(last, url, env);
  const hookRuns = () => last.container(container).exec(["test", "-e", "/tmp/hook-runs"]);
  await expect
    .poll(() =>
      hookRuns().then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
  const { events, seconds } = await last.stop();
  expect(await pushed).toMatchObject({ code: 0 });
  expect(events).toEqual(order);
  expect(seconds).toBeLessThan((last.site.set.spec?.template.spec?.terminationGracePeriodSeconds ?? 0) - 10);
  expect(await overlay.refs(first, url, env)).toContain(tip);
  await rm(hook);
  return tip;
}

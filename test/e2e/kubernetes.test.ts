// deploy/kubernetes, overlay "gate", on this machine. The test reads the manifests that kubectl renders, and is the
// kubelet: it starts the command line of each container with its environment, mounts, user and limits, in namespaces of
// its own, and asks its probes.
//
// These things are not those of a cluster: the image (its Dockerfile's command and environment are taken, its programs
// are those of this machine), seccomp, the memory of a whole container (the limit is for each process), scheduling, the
// controllers behind objects, DNS (there is /etc/hosts), and kube-proxy (a relay leads a service to chosen pods).
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Container, Probe } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { documentedSecrets, USER } from "../support/pods/documented-secrets.ts";
import { readImage } from "../support/pods/image.ts";
import { render, serviceOf, statefulSetOf } from "../support/pods/manifests.ts";
import type { Pod } from "../support/pods/pod.ts";
import { kubectl, PodCluster, podsMissing } from "../support/pods/pod-cluster.ts";
import { wasUsed } from "../support/pods/pod-volumes.ts";

const missing = podsMissing();
if (missing.length > 0) console.warn(`The tests of the manifests are skipped: ${missing.join("; ")}.`);

const SECOND_MS = 1_000;
const HOST = "postgres.example.com";
const REPOSITORY = "team/app";

describe.skipIf(missing.length > 0)("the pods of the overlay gate", () => {
  let database: TestDatabase;
  let cluster: PodCluster;
  let pods: readonly [Pod, Pod, Pod];
  let containers: readonly Container[];
  let dir: string;
  let work: string;
  beforeAll(async () => {
    database = await createDatabase();
    dir = await mkdtemp(join(tmpdir(), "ls-secrets-"));
    const { username, password, pathname, hostname, port } = new URL(database.url);
    const secrets = await documentedSecrets("secrets", dir, {
      [`postgres://lockstep:PASSWORD@${HOST}/lockstep`]: `postgres://${username}:${password}@${HOST}${pathname}`,
    });
    const manifests = await render(kubectl(), "gate");
    const image = readImage("Dockerfile");
    cluster = await PodCluster.make({
      manifests,
      imageOf: () => image,
      contents: () => ({ secrets, drivers: {} }),
      database: { host: hostname, port: Number(port) },
      databaseHost: HOST,
    });
    pods = cluster.pods as [Pod, Pod, Pod];
    const spec = statefulSetOf(manifests).spec?.template.spec;
    containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
    await Promise.all(pods.map((pod) => pod.start()));
    await pods[0].container("lockstep").exec(["lockstep", "repo", "create", REPOSITORY]);
    work = await cluster.client.workTree("work");
  });
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await database?.[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  });

  const eachContainer = async (check: (pod: Pod, spec: Container) => Promise<void>) => {
    for (const pod of pods) for (const spec of containers) await check(pod, spec);
  };
  const url = (repository = REPOSITORY) => `http://${USER}:secret@git.git.svc/${repository}.git`;
  const commit = (name: string) => cluster.client.commit(work, name, { [name]: name });
  const push = (ref: string) => cluster.git(["push", "--quiet", url(), `HEAD:${ref}`], { cwd: work });
  const refs = async (pod: Pod) => {
    await cluster.lead("git", [pod]);
    return (await cluster.git(["ls-remote", url()])).stdout;
  };

  it("answer every probe, and serve metrics where their annotations say", async () => {
    await eachContainer(async (pod, spec) => {
      const probes = [spec.startupProbe, spec.readinessProbe, spec.livenessProbe].filter((each) => each !== undefined);
      expect(probes.length).toBeGreaterThan(1);
      for (const probe of probes) await pod.untilProbed(spec.name, probe);
    });
    for (const pod of pods) {
      const annotations = pod.site.set.spec?.template.metadata?.annotations ?? {};
      const [port, path] = ["port", "path"].map((each) => annotations[`prometheus.io/${each}`] ?? "");
      const place = { host: pod.address, port: Number(port), path: path as string, timeoutMs: 5 * SECOND_MS };
      expect((await cluster.network.get(place)).text).toContain("lockstep_pushes_total");
    }
  });

  it("listen on each port of their containers, and services lead to such ports", async () => {
    const ports = new Set<number>();
    await eachContainer(async (pod, spec) => {
      for (const { containerPort } of spec.ports ?? []) {
        await cluster.network.connect({ host: pod.address, port: containerPort, timeoutMs: SECOND_MS });
        ports.add(containerPort);
      }
    });
    for (const service of ["lockstep", "git"])
      for (const { targetPort } of serviceOf(cluster.manifests, service).spec?.ports ?? [])
        expect([...ports]).toContain(targetPort);
  });

  it("run as an ordinary user without rights, and cannot write to their root", async () => {
    await eachContainer(async (pod, { name }) => {
      const status = await pod.container(name).exec(["cat", "/proc/1/status"]);
      expect(status).toMatch(/^Uid:(\t1000){4}$/m);
      expect(status).toMatch(/^Groups:\t1000 $/m);
      expect(status).toMatch(/^CapBnd:\t0+$/m);
      expect(status).toMatch(/^NoNewPrivs:\t1$/m);
      await expect(pod.container(name).exec(["touch", "/written"])).rejects.toThrow(/Read-only file system/);
    });
  });

  it("take a push at one and show it at another", async () => {
    const tip = await commit("first");
    await cluster.lead("git", [pods[0]]);
    expect(await push("refs/heads/main")).toMatchObject({ code: 0 });
    for (const pod of pods) expect(await refs(pod)).toContain(`${tip}\trefs/heads/main`);
    const anonymous = await cluster.git(["-c", "core.askPass=true", "ls-remote", url().replace(/\w+:\w+@/, "")]);
    expect(anonymous.code).not.toBe(0);
  });

  it("use each of their volumes: they write to the writable ones, and do not start without one of the others", async () => {
    await eachContainer(async (pod, { name, volumeMounts = [] }) => {
      for (const { name: volume, mountPath, readOnly } of volumeMounts) {
        const write = pod.container(name).exec(["test", "-w", mountPath]);
        if (readOnly) await expect(write).rejects.toThrow();
        else await write;
        // For hooks only, as in the test of the end.
        if (!readOnly && volume !== "tmp") expect(await wasUsed(pod.volumes.path(volume)), volume).toBe(true);
      }
    });
    for (const spec of containers)
      for (const { mountPath } of spec.volumeMounts?.filter(({ readOnly }) => readOnly) ?? [])
        expect(await pods[0].runWithout(spec, mountPath), `${spec.name} without ${mountPath}`).toBeGreaterThan(0);
  });

  it("stay ready and alive while PostgreSQL is away, say so to clients, and start no git server", async () => {
    await cluster.leadDatabase(false);
    const [{ startupProbe, readinessProbe, livenessProbe }] = containers as [Container];
    for (const pod of pods) {
      for (const probe of [readinessProbe, livenessProbe]) await pod.probe("lockstep", probe as Probe);
      await expect(pod.probe("lockstep", startupProbe as Probe)).rejects.toThrow(/\/readyz: 503/);
    }
    await cluster.lead("git", [pods[1]]);
    const refused = await cluster.git(["ls-remote", url()]);
    expect(refused.stderr).toMatch(/The database does not answer; try again\./);
    await cluster.leadDatabase(true);
    for (const pod of pods) await pod.untilProbed("lockstep", startupProbe as Probe);
  });

  it("end in order: a push under way lands, and the git server ends before its sidecar, in time", async () => {
    const [, , last] = pods;
    const tip = await commit("second");
    const hook = join(last.volumes.path("repositories"), `${REPOSITORY}.git`, "hooks", "update");
    await writeFile(hook, `#!/bin/sh\ntouch /tmp/hook-runs\nsleep 6\n`, { mode: 0o755 });
    await cluster.lead("git", [last]);
    const pushed = push("refs/heads/main");
    await expect
      .poll(() =>
        last
          .container("gate")
          .exec(["test", "-e", "/tmp/hook-runs"])
          .then(
            () => true,
            () => false,
          ),
      )
      .toBe(true);
    const { events, seconds } = await last.stop();
    expect(await pushed).toMatchObject({ code: 0 });
    expect(events).toEqual(["gate: preStop", "gate: ended with 0", "lockstep: ended with 0"]);
    expect(seconds).toBeLessThan((last.site.set.spec?.template.spec?.terminationGracePeriodSeconds ?? 0) - 10);
    expect(await refs(pods[0])).toContain(tip);
    await rm(hook);
    await last.start();
    await last.untilReady();
    expect(await refs(last)).toContain(tip);
  });

  it("go on when one is lost, and the lost one catches up when it comes back", async () => {
    const [first, second] = pods;
    await first.kill();
    const tip = await commit("third");
    await cluster.lead("git", [second]);
    expect(await push("refs/heads/main")).toMatchObject({ code: 0 });
    await first.start();
    await first.untilReady();
    expect(await refs(first)).toContain(tip);
  });
});

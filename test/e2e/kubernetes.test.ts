import type { Container, Probe } from "kubernetes-types/core/v1.js";
import { describe, expect, it } from "vitest";
import {
  expectEndDuringPush,
  expectPorts,
  expectProbes,
  expectRestricted,
  expectVolumes,
} from "../support/pods/checks.ts";
import { readImage } from "../support/pods/image.ts";
import { portOf } from "../support/pods/manifests.ts";
import { GATE_URL } from "../support/pods/overlay.ts";
import { overlay, startOverlayOfFile } from "../support/pods/overlay-of-file.ts";
import { podsMissing } from "../support/pods/pod-cluster.ts";

const missing = podsMissing();
if (missing.length > 0) console.warn(`The tests of the manifests are skipped: ${missing.join("; ")}.`);

describe.skipIf(missing.length > 0)("the pods of the overlay gate", () => {
  const image = readImage("Dockerfile");
  startOverlayOfFile((places) => ({ name: "gate", imageOf: () => image, blocks: { secrets: places, users: {} } }));

  it("answer every probe, and serve metrics where their annotations say", () => expectProbes(overlay));
  it("serve the metrics of the gate at its port gate-http", async () => {
    const { cluster, pods } = overlay;
    const port = portOf(pods[0].container("gate").plan.spec, "gate-http");
    const place = { host: pods[0].address, port, path: "/metrics", timeoutMs: 5_000 };
    expect((await cluster.network.get(place)).text).toContain("lockstep_gate_build_info");
  });
  it("listen on each port, and services lead to such ports", () => expectPorts(overlay, ["lockstep", "git"]));
  it("run as an ordinary user without rights, and cannot write to their root", () => expectRestricted(overlay));

  it("take a push at one and show it at another", async () => {
    const tip = await overlay.commit("first");
    expect(await overlay.push(overlay.pods[0], GATE_URL)).toMatchObject({ code: 0 });
    for (const pod of overlay.pods) expect(await overlay.refs(pod, GATE_URL)).toContain(`${tip}\trefs/heads/main`);
    const anonymous = await overlay.cluster.git(["ls-remote", GATE_URL.replace(/\w+:\w+@/, "")]);
    expect(anonymous.stderr).toMatch(/could not read Username|Authentication failed/);
  });

  it("write to each writable volume, and do not start without one of the others", () =>
    expectVolumes(overlay, ["/tmp"]));

  it("stay ready and alive while PostgreSQL is away, say so to clients, and start no git server", async () => {
    const { cluster, pods } = overlay;
    await cluster.leadDatabase(false);
    const [{ startupProbe }] = overlay.containers as [Container];
    for (const pod of pods) {
      for (const { name, readinessProbe, livenessProbe } of overlay.containers)
        for (const probe of [readinessProbe, livenessProbe]) await pod.probe(name, probe as Probe);
      await expect(pod.probe("lockstep", startupProbe as Probe)).rejects.toThrow(/\/readyz: 503/);
    }
    await cluster.lead("git", [pods[1]]);
    const refused = await cluster.git(["ls-remote", GATE_URL]);
    expect(refused.stderr).toMatch(/The database does not answer; try again\./);
    await cluster.leadDatabase(true);
    for (const pod of pods) await pod.untilProbed("lockstep", startupProbe as Probe);
  });

  it("end in order: a push under way lands, and the git server ends before its sidecar, in time", async () => {
    const order = ["gate: preStop", "gate: ended with 0", "lockstep: ended with 0"];
    const push = { container: "gate", url: GATE_URL, hookSeconds: 6 };
    const tip = await expectEndDuringPush(overlay, push, order);
    const [, , last] = overlay.pods;
    await last.start();
    await last.untilReady();
    expect(await overlay.refs(last, GATE_URL)).toContain(tip);
  });

  it("go on when one is lost, and the lost one catches up when it comes back", async () => {
    const [first, second] = overlay.pods;
    await first.kill();
    const tip = await overlay.commit("third");
    expect(await overlay.push(second, GATE_URL)).toMatchObject({ code: 0 });
    await first.start();
    await first.untilReady();
    expect(await overlay.refs(first, GATE_URL)).toContain(tip);
  });
});

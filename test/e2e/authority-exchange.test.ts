// The authority of a running cluster is exchanged in steps, without a pause.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { describe, expect, it, vi } from "vitest";
import { createAuthority } from "../../src/ca/authority.ts";
import { writeCredentials } from "../../src/ca/credentials.ts";
import {
  authority,
  cluster,
  dir,
  logged,
  made,
  one,
  open,
  replace,
  SOON,
  serialOf,
  shown,
  spreads,
  startClusterWithFiles,
  useAuthority,
} from "../support/certificate-files.ts";
import type { Device } from "../support/cluster-device.ts";
import { stranger, tlsCredentials } from "../support/stranger.ts";

startClusterWithFiles();

describe("the authority", () => {
  it("is exchanged in steps without a pause: both, then the new one only, and then the old one is refused", async () => {
    const repository = await cluster.createRepository();
    const { line } = cluster.demo;
    const next = await createAuthority({ trustDomain: line.trust_domain, days: 90 });
    const old = authority;
    const bundle = async (text: string) => {
      await replace(line.ca, text);
      await spreads(repository);
    };
    const outdated = await open(one.demo.git);
    const ended = once(outdated, "close");
    await bundle(old.certificatePem + next.certificatePem);
    // The devices take their new certificates when they know both.
    const taken = async (device: Device, count: number) => {
      const log = await readFile(device.logFile, "utf8");
      expect(log.split("uses new certificate files").length - 1).toBeGreaterThanOrEqual(count);
    };
    await Promise.all(cluster.devices.map((device) => vi.waitFor(() => taken(device, 1), SOON)));
    useAuthority(next);
    for (const { name } of cluster.devices) await writeCredentials(dir, name, await made(30.5, name));
    await vi.waitFor(async () => {
      const serials = await shown();
      expect(serials[0]).toBe(serialOf(await readFile(one.demo.cert, "utf8")));
      expect(new Set(serials).size).toBe(1);
    }, SOON);
    await Promise.all(cluster.devices.slice(1).map((device) => vi.waitFor(() => taken(device, 2), SOON)));
    await spreads(repository);
    await bundle(next.certificatePem);
    await ended;
    using outsider = stranger(one.demo.grpc, tlsCredentials(line.ca, line.operator));
    await vi.waitFor(async () => expect((await outsider.refusal("GetStatus")).code).toBe("UNAVAILABLE"), SOON);
    await vi.waitFor(async () => await logged(one, /a certificate that says operator operator was refused/), SOON);
    await spreads(repository);
  });
});

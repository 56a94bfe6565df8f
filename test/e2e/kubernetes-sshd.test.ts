// deploy/kubernetes, overlay "sshd", on this machine, as kubernetes.test.ts does it. sshd and git are those of this
// machine, in place of the image of its Dockerfile.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  expectEndDuringPush,
  expectPorts,
  expectProbes,
  expectRestricted,
  expectVolumes,
} from "../support/pods/checks.ts";
import { type Image, readImage } from "../support/pods/image.ts";
import { REPOSITORY } from "../support/pods/overlay.ts";
import { overlay, startOverlayOfFile } from "../support/pods/overlay-of-file.ts";
import { podsMissing } from "../support/pods/pod-cluster.ts";
import { findProgram } from "../support/programs.ts";
import { hasNative } from "../support/shim-site.ts";
import { makeKey } from "../support/sshd.ts";

const programs = [findProgram("sshd", "openssh-server"), findProgram("ssh", "openssh-client")];
const missing = [
  ...podsMissing(),
  ...programs.flatMap((found) => ("missing" in found ? [found.missing] : [])),
  ...(hasNative ? [] : ["the native programs were not built"]),
];
if (missing.length > 0) console.warn(`The tests of the manifests of sshd are skipped: ${missing.join("; ")}.`);

const URL_OF_REPOSITORY = `git@git.git.svc:${REPOSITORY}.git`;

describe.skipIf(missing.length > 0)("the pods of the overlay sshd", () => {
  const [lockstep, sshd] = ["Dockerfile", "deploy/kubernetes/git-server/sshd/Dockerfile"].map(readImage) as [
    Image,
    Image,
  ];
  startOverlayOfFile((places) => ({
    name: "sshd",
    imageOf: (reference) => (reference.includes("git-sshd") ? sshd : lockstep),
    blocks: { secrets: places, "sshd-secret": {} },
    prepare: async (dir) => void (await makeKey(join(dir, "ada"))),
  }));

  let env: Record<string, string>;
  beforeAll(async () => {
    const known = join(overlay.dir, "known_hosts");
    await writeFile(known, `git.git.svc ${await readFile(join(overlay.dir, "ssh_host_ed25519_key.pub"), "utf8")}`);
    const options = ["BatchMode=yes", "IdentitiesOnly=yes", `UserKnownHostsFile=${known}`].map((each) => `-o${each}`);
    env = { GIT_SSH_COMMAND: ["ssh", "-F", "none", "-i", join(overlay.dir, "ada"), ...options].join(" ") };
  });

  it("answer every probe, and serve metrics where their annotations say", () => expectProbes(overlay));
  it("listen on each port, and services lead to such ports", () => expectPorts(overlay, ["lockstep", "git"]));
  it("run as an ordinary user without rights, and cannot write to their root", () => expectRestricted(overlay));

  it("take a push at one in the name of the key, and show it at another with the same host key", async () => {
    const tip = await overlay.commit("first");
    const { code, stderr } = await overlay.push(overlay.pods[0], URL_OF_REPOSITORY, env);
    expect(code, `${stderr}${await overlay.pods[0].container("sshd").log()}`).toBe(0);
    for (const pod of overlay.pods)
      expect(await overlay.refs(pod, URL_OF_REPOSITORY, env)).toContain(`${tip}\trefs/heads/main`);
    const log = await overlay.pods[1].container("lockstep").exec(["lockstep", "log", REPOSITORY, "--json"]);
    expect(log).toContain('"ada"');
  });

  it("write to each writable volume, and do not start without one of the others", () =>
    expectVolumes(overlay, ["/tmp", "/programs"]));

  it("end in order: a push under way lands, and sshd ends before its sidecar, in time", async () => {
    const order = ["sshd: preStop", expect.stringMatching(/^sshd: ended/), "lockstep: ended with 0"];
    await expectEndDuringPush(overlay, { container: "sshd", url: URL_OF_REPOSITORY, env, hookSeconds: 8 }, order);
  });
});

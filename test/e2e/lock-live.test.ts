// `lockstep lock --live`: a session on the files of a replica.
import { describe, expect, it, vi } from "vitest";
import { expectAtRest } from "../support/at-rest.ts";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, two } from "../support/file-cluster.ts";
import { branchesOn, EXIT, expectKept, held, lock, SOON, withMain } from "../support/locked.ts";

startClusterOfFile({ revive: true });

describe("lockstep lock --live", () => {
  const readOn = (device: Device, repository: string) => device.call("BeforeRead", { repository }, PATIENCE);

  it("takes the replica of this device out of service, and lands what the command changed there", async () => {
    const { repository, first } = await withMain();
    await readOn(two, repository);
    await using holder = await held(one, repository, "--live");
    const refused = await cluster.git.run(["ls-remote", one.url(repository)]);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/out of service: grace works on its files \(squashing\); ask another device/);
    expect(await branchesOn(two, repository)).toEqual({ main: first });
    await holder.release(0);
    const { code, stdout, stderr } = await holder.ended;
    expect({ code, stderr }).toEqual({ code: EXIT.OK, stderr: "changed\n" });
    expect(stdout).toContain(`${repository} is at version 2: 1 ref changed`);
    for (const device of cluster.devices)
      expect(await branchesOn(device, repository)).toEqual({ main: first, made: first });
    await expectAtRest(cluster, repository);
  });

  it("a live lock keeps what a command changed that fails, and folds it away", async () => {
    const { repository, first } = await withMain();
    await using locked = lock(one, [
      repository,
      "--live",
      "--",
      "sh",
      "-c",
      "git update-ref refs/heads/made main; exit 3",
    ]);
    expect((await locked.ended).code).toBe(3);
    expect(await branchesOn(one, repository)).toEqual({ main: first });
    await expectKept(one, repository, { "heads/made": first });
    await expectAtRest(cluster, repository);
  });

  it("hit by kill -9 holds up nobody else; later changes of its command are kept, and served to nobody", async () => {
    const { repository, first } = await withMain();
    await readOn(two, repository);
    await using holder = await held(one, repository, "--live");
    holder.process.kill("SIGKILL");
    await ada.land(two.url(repository), `${await ada.commit()}:refs/heads/next`);
    // Its lease has run out, and still the command works.
    const stays = { code: "REPLICA_IN_DOUBT", message: expect.stringContaining("on this device") };
    await expect(readOn(one, repository)).rejects.toMatchObject(stays);
    await holder.release(0);
    await expectKept(one, repository, { "heads/made": first });
    await expectAtRest(cluster, repository);
  });

  it("whose sidecar is hit by kill -9 ends its command, and what was changed is kept before it is folded away", async () => {
    const { repository, first } = await withMain();
    await readOn(two, repository);
    await using holder = await held(one, repository, "--live");
    // At its next renewal it would end the command.
    holder.process.kill("SIGSTOP");
    await one.kill();
    await one.start();
    await expect(readOn(one, repository)).rejects.toMatchObject({
      code: "REPLICA_IN_DOUBT",
      message: expect.stringMatching(/^Process \d+ \(\w+\) still works on the files/),
    });
    holder.process.kill("SIGCONT");
    expect((await holder.ended).code).toBe(EXIT.NOT_NOW);
    await vi.waitFor(() => readOn(one, repository), SOON);
    await expectKept(one, repository, { "heads/made": first });
    await expectAtRest(cluster, repository);
  });
});

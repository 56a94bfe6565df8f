import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, it, vi } from "vitest";
import { main } from "../../src/cli/program.ts";
import { administer } from "../support/administer.ts";
import { expectVerified } from "../support/at-rest.ts";
import type { Device } from "../support/cluster-device.ts";
import { PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, three, two } from "../support/file-cluster.ts";
import { SOON } from "../support/soon.ts";

startClusterOfFile({ revive: true });

/** A person at a terminal, who types. */
async function typing(answer: string, device: Device, args: readonly string[]) {
  const [stdin, stdout, stderr] = [
    Object.assign(new PassThrough(), { isTTY: true }),
    new PassThrough(),
    Object.assign(new PassThrough(), { isTTY: true }),
  ];
  let said = "";
  stderr.on("data", (chunk: Buffer) => {
    said += chunk;
    if (chunk.includes("Type yes")) stdin.write(`${answer}\n`);
  });
  const stream = (to: PassThrough) => to as unknown as NodeJS.WriteStream;
  const code = await main({
    env: { PATH: process.env.PATH, LOCKSTEP_SOCKET_DIR: device.demo.socket.replace(/\/[^/]*$/, ""), USER: "olga" },
    argv: args,
    cwd: "/",
    pid: process.pid,
    execPath: process.execPath,
    isRoot: false,
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stream(stdout),
    stderr: stream(stderr),
    stop: new AbortController().signal,
    kill: () => {},
  });
  stdout.end();
  return { code, stdout: await text(stdout), stderr: said };
}

/** Only device one has the second push, and its machine is gone. */
async function leaderGone() {
  const repository = await cluster.createRepository();
  const first = await ada.commit();
  await ada.land(one.url(repository), `${first}:refs/heads/main`);
  for (const device of [two, three]) await device.call("BeforeRead", { repository }, PATIENCE);
  await two.kill();
  await three.kill();
  const second = await ada.commit(first);
  await ada.land(one.url(repository), `${second}:refs/heads/main`, `${second}:refs/heads/new`);
  await one.kill();
  await administer(cluster.databaseUrl, (client) =>
    client.query("update lockstep.device set expires_at = clock_timestamp() where name = $1", [one.name]),
  );
  await two.start();
  await three.start();
  return { repository, first, second };
}

/** Returns the refs that a device serves. On a busy machine it may refuse for a moment: it has lost its lease. */
const refsAt = async (device: Device, repository: string) =>
  await vi.waitFor(() => cluster.git.git(["ls-remote", device.url(repository)], {}), SOON);

describe("when the device with the head is lost", () => {
  it("an operator sees what is missing, what a thaw would give up, and gives it up", async () => {
    const { repository, first, second } = await leaderGone();
    // It may refuse for another reason first, as refsAt says.
    const told = { code: 128, stderr: expect.stringContaining(`thaw ${repository} --demote repo001`) };
    const failed = async () => await cluster.git.run(["ls-remote", two.url(repository)], {});
    await vi.waitFor(async () => expect(await failed()).toMatchObject(told), SOON);

    const { document: status } = await two.lockstep("status");
    expect(status.repositories).toContainEqual(
      expect.objectContaining({ name: repository, version: 2, leaders: ["repo001"], stuck: true, stopped: null }),
    );
    expect(status.devices[0]).toMatchObject({ name: "repo001", live: false, away_since: expect.stringMatching(/^20/) });
    expect((await two.print("status")).stdout).toMatch(/stuck: version 2 is on repo001 only, which is down/);
    expect((await two.print("repo", "show", repository)).stdout).toMatch(/repo001 +2 .* no, for \d/);

    const shown = await two.print("thaw", repository, "--demote", "repo001");
    expect(shown.code).toBe(2);
    expect(shown.stderr).toMatch(/^lockstep: There is no terminal to ask on, so nothing was changed; .*--yes\.\n$/);
    expect(shown.stdout).toContain(
      `${repository}: version 3 would follow version 2, with the refs that repo002 has (version 1).`,
    );
    expect(shown.stdout).toMatch(/version 2 .* on repo001\n/);
    expect(shown.stdout).toContain(`refs/heads/main  ${second.slice(0, 10)}  ${first.slice(0, 10)}`);
    expect(shown.stdout).toContain(`${second.slice(0, 10)}  its objects are not on this device`);

    const planned = await two.lockstep("thaw", repository, "--demote", "repo001");
    expect(planned).toMatchObject({
      code: 3,
      document: {
        repositories: [
          {
            name: repository,
            done: false,
            head: 2,
            version: 3,
            keeper: { device: "repo002", version: 1 },
            given_up: [{ version: 2, device: "repo001" }],
            lost: { commits: [], not_here: [second] },
          },
        ],
      },
    });
    expect(await typing("no", two, ["thaw", repository, "--demote", "repo001"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("Nothing was changed."),
    });
    const given = await typing("yes", two, ["thaw", repository, "--demote", "repo001"]);
    expect(given).toMatchObject({ code: 0, stdout: expect.stringContaining(`${repository} is at version 3`) });
    for (const device of [two, three])
      expect(await refsAt(device, repository)).toBe(`${first}\tHEAD\n${first}\trefs/heads/main`);
    expect((await three.lockstep("log", repository)).document.log[0]).toMatchObject({ version: 3, author: "olga" });

    await one.start();
    await vi.waitFor(async () => {
      const { stdout } = await cluster.git.run(["for-each-ref", "--format=%(refname) %(objectname)"], {
        cwd: one.gitDir(repository),
      });
      expect(stdout.trim().split("\n")).toEqual([
        `refs/heads/main ${first}`,
        `refs/lockstep/lost/3/heads/main ${second}`,
        `refs/lockstep/lost/3/heads/new ${second}`,
      ]);
    }, SOON);
    expect(await refsAt(one, repository)).toBe(`${first}\tHEAD\n${first}\trefs/heads/main`);
    await ada.land(three.url(repository), `${second}:refs/heads/main`);
    expect(await expectVerified(one, repository)).toEqual({ version: 4 });
  });

  it("several repositories are decided at once", async () => {
    const { repository } = await leaderGone();
    const refused = await two.lockstep("thaw", repository, "nobody/has-it", "--demote", "repo001", "--yes");
    expect(refused).toMatchObject({ code: 1, document: { error: { code: "REPOSITORY_NOT_FOUND" } } });
    expect((await two.lockstep("repo", "show", repository)).document.version).toBe(2);
    const done = await two.lockstep("thaw", repository, "--demote", "repo001", "--yes");
    expect(done).toMatchObject({ code: 0, document: { repositories: [{ done: true, version: 3 }] } });
    await one.start();
  });

  it("a wrong command line is refused", async () => {
    expect(await two.lockstep("thaw", "team/app")).toMatchObject({ code: 2, document: { error: { code: "USAGE" } } });
    const both = await two.lockstep("thaw", "team/app", "--demote", "a", "--promote", "b");
    expect(both).toMatchObject({ code: 2, document: { error: { code: "USAGE" } } });
    await expect(two.call("Thaw", { repository: "team/app" }, PATIENCE)).rejects.toMatchObject({
      code: "INVALID_REQUEST",
    });
  });
});

// `lockstep lock` as an operator runs it.
import { once } from "node:events";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { expectAtRest } from "../support/at-rest.ts";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, two } from "../support/file-cluster.ts";
import { branchesOn, EXIT, expectKept, held, lock, SOON, withMain } from "../support/locked.ts";

startClusterOfFile({ revive: true });

const writerOf = async (device: Device, repository: string) =>
  (await device.call("GetVersion", { repository }, PATIENCE)).writer;

describe("lockstep lock", () => {
  it("lands what its command changed, and every device serves it", async () => {
    const { repository, first } = await withMain();
    const script = "git update-ref refs/heads/made refs/heads/main && git update-ref -d refs/heads/main && echo done";
    await using locked = lock(one, [repository, "--", "sh", "-c", script]);
    const { code, stdout, stderr } = await locked.ended;
    expect({ code, stderr }).toEqual({ code: EXIT.OK, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^done\n${repository} is at version 2: 2 refs changed \\(.*s\\)\\.\n$`));
    for (const device of cluster.devices) expect(await branchesOn(device, repository)).toEqual({ made: first });
    const { log } = await expectAtRest(cluster, repository);
    expect(log.at(-1)).toMatchObject({ author: "grace", device: "repo001" });
  });

  it("brings commits with it that the command made", async () => {
    const { repository } = await withMain();
    const script = `tree=$(git rev-parse main^{tree}) && id=$(git commit-tree -p main -m made "$tree") && git update-ref refs/heads/main "$id"`;
    await using locked = lock(two, [repository, "--", "sh", "-c", script]);
    expect(await locked.ended).toMatchObject({ code: EXIT.OK });
    const clone = await cluster.git.bare("made");
    await cluster.git.git(["fetch", "--quiet", one.url(repository), "main"], { cwd: clone });
    expect(await cluster.git.git(["log", "-1", "--format=%s %an", "FETCH_HEAD"], { cwd: clone })).toBe("made Ada");
    await expectAtRest(cluster, repository);
  });

  it("prints one document with --json; the output of the command goes to standard error", async () => {
    const { repository } = await withMain();
    const script = "echo from the command; git update-ref refs/heads/made refs/heads/main";
    await using locked = lock(one, [repository, "--json", "--", "sh", "-c", script]);
    const { code, stdout, stderr } = await locked.ended;
    expect({ code, stderr }).toEqual({ code: EXIT.OK, stderr: "from the command\n" });
    expect(JSON.parse(stdout)).toEqual({
      repository,
      write_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      landed: true,
      version: 2,
      refs_changed: 1,
    });
    await using nothing = lock(one, [repository, "--", "true"]);
    expect((await nothing.ended).stdout).toBe(`Nothing was changed; ${repository} stays at version 2.\n`);
  });

  it("a lock writes nothing of a command that fails, keeps what it changed, and ends with its code", async () => {
    const { repository, first } = await withMain();
    const script = "git update-ref refs/heads/made refs/heads/main; exit 7";
    await using locked = lock(one, [repository, "--json", "--", "sh", "-c", script]);
    const { code, stdout } = await locked.ended;
    expect(code).toBe(7);
    const document = JSON.parse(stdout);
    const kept = `refs/lockstep/dropped/${document.write_id}/heads/made`;
    expect(document).toMatchObject({ landed: false, exit_code: 7, saved_refs: [kept] });
    expect(await branchesOn(one, repository)).toEqual({ main: first });
    await expectKept(one, repository, { "heads/made": first });
    // The turn is free at once.
    await using next = lock(two, [repository, "--wait", "0", "--", "true"]);
    expect(await next.ended).toMatchObject({ code: EXIT.OK });
    const line = (await one.log()).find(({ msg, write }) => msg === "session dropped" && write === document.write_id);
    expect(line).toMatchObject({ repository, author: "grace", reason: "the command ended with 7", kept: 1 });
  });

  it("a lock of a command that cannot be started ends at once, and the turn is free", async () => {
    const { repository } = await withMain();
    await using locked = lock(one, [repository, "--", "/no/such/program"]);
    const { code, stderr } = await locked.ended;
    expect(code).toBe(2);
    expect(stderr).toMatch(/^lockstep: The command cannot be started: .*ENOENT; nothing was written\.\n$/);
    await using next = lock(one, [repository, "--wait", "0", "--", "true"]);
    expect(await next.ended).toMatchObject({ code: EXIT.OK });
  });

  it("without a command starts the user's shell in the scratch repository", async () => {
    const { repository, first } = await withMain();
    const shell = join(cluster.dir, "shell");
    await writeFile(shell, '#!/bin/sh\ntest "$PWD" = "$GIT_DIR" || exit 9\ngit branch made main\n');
    await chmod(shell, 0o755);
    await using locked = lock(one, [repository], { SHELL: shell });
    const { code, stderr } = await locked.ended;
    expect(code).toBe(EXIT.OK);
    expect(stderr).toMatch(/^lockstep: this is the scratch repository of team\/app-\d+; exit 0 lands .*\n$/);
    expect(await branchesOn(two, repository)).toEqual({ main: first, made: first });
  });
});

describe("others, while a session is open", () => {
  it("are told who holds the turn, where, since when and why; its pushers wait and land afterwards", async () => {
    const { repository, first } = await withMain();
    await using holder = await held(one, repository);
    const since = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);

    await using refused = lock(two, [repository, "--json", "--wait", "0", "--", "true"]);
    const { code, stdout } = await refused.ended;
    expect(code).toBe(EXIT.NOT_NOW);
    expect(JSON.parse(stdout).error).toMatchObject({
      code: "TURN_HELD",
      details: { author: "grace", device: "repo001", reason: "squashing", since },
    });
    await using said = lock(two, [repository, "--wait", "0", "--", "true"]);
    expect((await said.ended).stderr).toMatch(
      /^lockstep: The write turn of \S+ is held by grace on repo001 \(squashing, since \S+Z\); nothing was written/,
    );

    expect(await writerOf(two, repository)).toMatchObject({ author: "grace", device: "repo001", reason: "squashing" });
    const { document } = await two.lockstep("repo", "show", repository);
    expect(document.writer).toMatchObject({ author: "grace", device: "repo001", reason: "squashing", base_version: 1 });
    const { stdout: shown } = await two.print("repo", "show", repository);
    expect(shown).toMatch(/^writing: grace on repo001 for \d+ s, on version 1 \(squashing\)$/m);
    // Reads go on, and do not see what is undecided.
    expect(await branchesOn(one, repository)).toEqual({ main: first });

    const refspec = `${await ada.commit()}:refs/heads/pushed`;
    const push = cluster.git.start(["push", two.url(repository), refspec], { cwd: ada.dir });
    const pushed = once(push, "close");
    let told = "";
    push.stderr!.on("data", (chunk) => {
      told += chunk;
    });
    await vi.waitFor(async () => expect(await two.waiters(repository)).toHaveLength(1), SOON);
    const notice = /remote: .*waiting for grace on repo001 \(squashing, since \S+Z\)/;
    await vi.waitFor(() => expect(told).toMatch(notice), SOON);
    await holder.release(0);
    expect(await holder.ended).toMatchObject({ code: EXIT.OK });
    expect(await pushed, told).toEqual([0, null]);
    await expectAtRest(cluster, repository);
  });

  it("are refused when their patience ends before the session does, and nothing of them is written", async () => {
    const { repository, first } = await withMain();
    await using _ = await held(one, repository);
    const { code, stderr } = await ada.push(one.url(repository), `${await ada.commit()}:refs/heads/pushed`);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/held by grace on repo001 \(squashing, since \S+Z\); nothing was written/);
    expect(await branchesOn(two, repository)).toEqual({ main: first });
  });
});

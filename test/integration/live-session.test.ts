// Write sessions on the files of a replica itself (`lockstep lock --live`).
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { open, rename, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { BegunWrite } from "../../src/sync/session/begin-write.ts";
import { endSessions } from "../../src/sync/session/end-sessions.ts";
import { abortSession, beginSession, bumpSession } from "../support/sessions.ts";
import { shortWaits } from "../support/short-waits.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
shortWaits();
const OUT_OF_SERVICE = {
  code: "REPLICA_IN_DOUBT",
  message: expect.stringContaining("out of service: grace works on its files (renaming); ask another device"),
};

/** Begins a session that needs no renewal, however slow this machine is. */
async function beginLive(device: TestDevice, writeId: string = randomUUID()): Promise<BegunWrite> {
  const begun = await beginSession(device, APP, { reason: "renaming", live: true, writeId });
  await device.cluster.sql("update lockstep.turn set expires_at = clock_timestamp() + interval '1 hour'");
  return begun;
}

async function withHistory(cluster: TestCluster): Promise<[TestDevice, TestDevice, string]> {
  const [a, b] = await cluster.pair(APP);
  const one = await a.commit(APP, "one");
  await a.push(APP, [change("main", null, one), change("topic", null, one)]);
  await b.read(APP);
  return [a, b, one];
}

const keptRef = ({ writeId }: BegunWrite, name: string) => `refs/lockstep/dropped/${writeId}/heads/${name}`;

async function expire(cluster: TestCluster): Promise<void> {
  await cluster.sql("update lockstep.turn set expires_at = clock_timestamp() - interval '1 ms'");
}

/** A process that has worked on the files, and has not ended. */
async function worker({ path }: BegunWrite): Promise<AsyncDisposable> {
  const note = await open(join(path, "lockstep.live"));
  const child = spawn("sleep", ["600"], { stdio: ["ignore", "ignore", "ignore", note.fd] });
  await once(child, "spawn");
  await note.close();
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await once(child, "close");
    },
  };
}

describe("a write session on live files", () => {
  it("takes this replica out of service, and no other; its changes land as one version", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, one] = await withHistory(cluster);
    const session = await beginLive(a);
    expect(session.path).toBe(a.context.replicas.findByName(APP)?.gitDir);
    expect(await beginLive(a, session.writeId)).toMatchObject({ token: session.token, path: session.path });
    const two = await a.commit(APP, "two", { parents: [one] });
    await a.git(APP, ["update-ref", "refs/heads/main", two]);
    await a.git(APP, ["update-ref", "-d", "refs/heads/topic"]);
    await a.git(APP, ["update-ref", "refs/heads/new", two]);
    await a.git(APP, ["symbolic-ref", "HEAD", "refs/heads/new"]);
    await expect(a.read(APP)).rejects.toMatchObject(OUT_OF_SERVICE);
    await expect(a.push(APP, [change("x", null, one)])).rejects.toMatchObject(OUT_OF_SERVICE);
    await b.read(APP);
    expect(await b.refs(APP)).toMatchObject({ "refs/heads/main": one });
    const landed = { writeId: session.writeId, version: 2n, refsChanged: 4 };
    expect(await bumpSession(a, APP, session.token)).toEqual(landed);
    expect(await bumpSession(a, APP, session.token)).toEqual(landed);
    const expected = { HEAD: "ref: refs/heads/new", "refs/heads/main": two, "refs/heads/new": two };
    for (const device of [a, b]) {
      await device.read(APP);
      expect(await device.refs(APP)).toEqual(expected);
      await device.expectInLockstep(APP);
    }
  });

  it("goes on if it began while the device asked which other sessions are over", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await withHistory(cluster);
    await cluster.create("team/other", [a]);
    await beginSession(a, "team/other");
    let answered = () => {};
    const held = new Promise<void>((resolve) => {
      answered = resolve;
    });
    const looks: string[] = [];
    a.onStatement = async (text, statement) => {
      const answer = await statement();
      if (!text.includes("where w.id = any($1::uuid[]) for key share of w")) return answer;
      looks.push(text);
      if (looks.length === 1) await held;
      return answer;
    };
    void endSessions(a.context);
    await vi.waitFor(() => expect(looks).toHaveLength(1), SOON);
    await beginLive(a);
    answered();
    await vi.waitFor(() => expect(looks.length).toBeGreaterThan(2), SOON);
    await expect(a.read(APP)).rejects.toMatchObject(OUT_OF_SERVICE);
  });

  it("given up keeps what was changed, and folds it away", async () => {
    await using cluster = await TestCluster.make();
    const [a, , one] = await withHistory(cluster);
    const session = await beginLive(a);
    const two = await a.commit(APP, "two");
    await a.git(APP, ["update-ref", "refs/heads/main", two]);
    await a.git(APP, ["update-ref", "-d", "refs/heads/topic"]);
    const { savedRefs } = await abortSession(a, APP, session.token);
    expect(savedRefs).toEqual([keptRef(session, "main")]);
    expect(await a.git(APP, ["rev-parse", keptRef(session, "main")])).toBe(two);
    await a.read(APP);
    expect(await a.refs(APP)).toMatchObject({ "refs/heads/main": one, "refs/heads/topic": one });
    await a.expectInLockstep(APP);
  });

  it("keeps what was changed, though its note could not be read for a moment", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await withHistory(cluster);
    const session = await beginLive(a);
    const two = await a.commit(APP, "two");
    await a.git(APP, ["update-ref", "refs/heads/main", two]);
    const note = join(session.path, "lockstep.live");
    await rename(note, `${note}.aside`);
    await symlink("lockstep.live", note);
    await expect(abortSession(a, APP, session.token)).rejects.toMatchObject({ code: "ELOOP" });
    await rename(`${note}.aside`, note);
    expect((await abortSession(a, APP, session.token)).savedRefs).toEqual([keptRef(session, "main")]);
    expect(await a.git(APP, ["rev-parse", keptRef(session, "main")])).toBe(two);
  });

  it("a write session on live files whose lease runs out is dropped and kept, and the replica follows what others wrote", async () => {
    await using cluster = await TestCluster.make();
    const [a, b, one] = await withHistory(cluster);
    const session = await beginLive(a);
    const two = await a.commit(APP, "two");
    await a.git(APP, ["update-ref", "refs/heads/main", two]);
    await expire(cluster);
    expect(await b.push(APP, [change("topic", one, null)])).toEqual({ "refs/heads/topic": null });
    await expect(a.read(APP)).rejects.toMatchObject(OUT_OF_SERVICE);
    void endSessions(a.context);
    await vi.waitFor(async () => expect(await a.git(APP, ["rev-parse", keptRef(session, "main")])).toBe(two), SOON);
    await a.read(APP);
    expect(await a.refs(APP)).toEqual({ HEAD: "ref: refs/heads/main", "refs/heads/main": one });
    await a.expectInLockstep(APP);
  });

  it("a write session on live files whose sidecar died is kept before the first read folds it away", async () => {
    await using cluster = await TestCluster.make();
    const [a, , one] = await withHistory(cluster);
    const session = await beginLive(a);
    const two = await a.commit(APP, "two");
    await a.git(APP, ["update-ref", "refs/heads/main", two]);
    await a.crash();
    const again = await a.restart();
    await again.read(APP);
    expect(await again.refs(APP)).toMatchObject({ "refs/heads/main": one });
    await expect(bumpSession(again, APP, session.token)).rejects.toMatchObject({ code: "WRITE_DROPPED" });
    expect((await abortSession(again, APP, session.token)).savedRefs).toEqual([keptRef(session, "main")]);
    expect(await again.git(APP, ["rev-parse", keptRef(session, "main")])).toBe(two);
    await again.expectInLockstep(APP);
  });

  it("is not over, nor is the replica in service, while a process still works on the files", async () => {
    await using cluster = await TestCluster.make();
    const [a, , one] = await withHistory(cluster);
    const session = await beginLive(a);
    const stays = { code: "REPLICA_IN_DOUBT", message: expect.stringMatching(/^Process \d+ \(sleep\) still works on/) };
    {
      await using _ = await worker(session);
      await expect(bumpSession(a, APP, session.token)).rejects.toMatchObject(stays);
      await a.crash();
      const again = await a.restart();
      await expect(again.read(APP)).rejects.toMatchObject(stays);
      // What it does now is not folded over, and is kept.
      await again.git(APP, ["update-ref", "refs/heads/late", one]);
    }
    const last = await a.restart();
    await last.read(APP);
    expect((await abortSession(last, APP, session.token)).savedRefs).toEqual([keptRef(session, "late")]);
    await last.expectInLockstep(APP);
  });
});

// The client that programs import, and the front end in examples/, on a cluster.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { Client } from "../../src/client/client.ts";
import { PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, three } from "../support/file-cluster.ts";
import { freePort, untilListening } from "../support/ports.ts";

startClusterOfFile({ revive: true, shortWaits: true });

const EXAMPLE = join(import.meta.dirname, "..", "..", "examples", "front-end.mjs");
const here = () => new Client({ socket: one.demo.socket });

async function landed(repository: string): Promise<string> {
  const commit = await ada.commit();
  await ada.land(one.url(repository), `+${commit}:refs/heads/main`);
  return commit;
}

describe("the client", () => {
  it("connects with a certificate, and takes the trust domain from it", async () => {
    const repository = await cluster.createRepository();
    await landed(repository);
    const { ca, frontend } = cluster.demo.line;
    const [authority, cert, key] = await Promise.all([ca, frontend.cert, frontend.key].map((file) => readFile(file)));
    using client = new Client({ address: three.demo.grpc, ca: authority!, cert: cert!, key: key!, device: three.name });
    await expect(client.beforeRead({ repository })).resolves.toMatchObject({ version: "1" });
    await expect(client.getVersion({ repository })).resolves.toMatchObject({ device: three.name, headVersion: "1" });
  });

  it("refuses a certificate without an identity before it connects, with a sentence", () => {
    const files = { address: "127.0.0.1:1", ca: "", key: "" };
    expect(() => new Client({ ...files, cert: "web.pem" })).toThrow(/pass the content of the file/);
  });

  it("repeats a call while its sidecar is away, and throws when the time is up", async () => {
    const repository = await cluster.createRepository();
    await landed(repository);
    using client = here();
    await client.beforeRead({ repository });
    await one.kill();
    await expect(client.beforeRead({ repository }, { timeoutMs: 50 })).rejects.toMatchObject({ name: "LockstepError" });
    const waiting = client.beforeRead({ repository });
    await one.start();
    await expect(waiting).resolves.toMatchObject({ version: "1" });
  });

  it("lands what a function changes, as one version, and nothing if it throws", async () => {
    const repository = await cluster.createRepository();
    const commit = await landed(repository);
    using client = here();
    const session = { repository, author: "merge button", reason: "merge" };
    const made = await client.withWrite(session, async ({ path, baseVersion }) => {
      for (const name of ["a", "b"])
        await cluster.git.git([`--git-dir=${path}`, "update-ref", `refs/heads/${name}`, commit]);
      return baseVersion;
    });
    expect(made).toMatchObject({ version: "2", refsChanged: 2, result: "1" });
    const { write } = await client.getWrite({ repository, writeId: made.writeId });
    expect(write).toMatchObject({ author: "merge button", status: "WRITE_STATUS_LANDED", version: "2" });

    const failed = client.withWrite(session, async ({ path }) => {
      await cluster.git.git([`--git-dir=${path}`, "update-ref", "refs/heads/c", commit]);
      throw new Error("the merge has a conflict");
    });
    await expect(failed).rejects.toThrow("the merge has a conflict");
    await expect(client.getVersion({ repository })).resolves.toMatchObject({ headVersion: "2", isWriting: false });
  });

  it("tells the function that its session is lost, and lands nothing", async () => {
    const repository = await cluster.createRepository();
    const commit = await landed(repository);
    using client = here();
    const lost = client.withWrite({ repository }, async ({ path, writeId, signal }) => {
      await cluster.git.git([`--git-dir=${path}`, "update-ref", "refs/heads/late", commit]);
      await one.call("AbortWrite", { repository, writeId, reason: "an operator needs the turn" }, PATIENCE);
      if (!signal.aborted) await once(signal, "abort");
    });
    await expect(lost).rejects.toMatchObject({ code: "WRITE_DROPPED" });
    await expect(client.getVersion({ repository })).resolves.toMatchObject({ headVersion: "1" });
  });

  it("drops the session when its caller cancels, whatever the function has done", async () => {
    const repository = await cluster.createRepository();
    const commit = await landed(repository);
    using client = here();
    const caller = new AbortController();
    const cancelled = client.withWrite(
      { repository },
      async ({ path, signal }) => {
        await cluster.git.git([`--git-dir=${path}`, "update-ref", "refs/heads/unwanted", commit]);
        caller.abort(new Error("the user left"));
        expect(signal.aborted).toBe(true);
      },
      { signal: caller.signal },
    );
    await expect(cancelled).rejects.toThrow("the user left");
    await expect(client.getVersion({ repository })).resolves.toMatchObject({ headVersion: "1", isWriting: false });
  });

  it("follows pushes over the death of the sidecar, and misses none and repeats none", async () => {
    const repository = await cluster.createRepository();
    using client = here();
    const stop = new AbortController();
    const events = client.watch({ repositories: [repository], cursor: "beginning" }, { signal: stop.signal });
    const next = async () => (await events.next()).value?.entry.version;
    await landed(repository);
    expect(await next()).toBe("1");
    await three.sync(repository);
    const second = next();
    await one.kill();
    const commit = await ada.commit();
    await ada.land(three.url(repository), `+${commit}:refs/heads/main`);
    await one.start();
    expect(await second).toBe("2");
    await landed(repository);
    expect(await next()).toBe("3");
    const ended = events.next();
    stop.abort();
    await expect(ended).resolves.toEqual({ done: true, value: undefined });
  });

  it("throws an error that no repetition mends, also in the middle of a watch", async () => {
    using client = here();
    await expect(client.watch({ cursor: "no cursor" }).next()).rejects.toMatchObject({ code: "INVALID_REQUEST" });
    await expect(client.beforeRead({ repository: "not/there" })).rejects.toMatchObject({
      code: "REPOSITORY_NOT_FOUND",
    });
  });
});

it("the front end in examples/ serves the newest commit to stock git, and passes a refusal on", async () => {
  const repository = await cluster.createRepository();
  const port = await freePort();
  const args = [EXAMPLE, String(port), three.demo.root, dirname(three.demo.socket)];
  const frontEnd = spawn(process.execPath, args, { stdio: "ignore", env: { PATH: process.env.PATH } });
  try {
    await untilListening({ host: "127.0.0.1", port });
    const url = `http://127.0.0.1:${port}/${repository}.git`;
    for (let round = 0; round < 3; round += 1) {
      const commit = await landed(repository);
      expect(await cluster.git.git(["ls-remote", url, "refs/heads/main"])).toContain(commit);
      const clone = join(cluster.git.dir, `clone-${round}`);
      await cluster.git.git(["clone", "--quiet", url, clone]);
      expect(await cluster.git.git(["rev-parse", "HEAD"], { cwd: clone })).toBe(commit);
    }
    const absent = await fetch(`http://127.0.0.1:${port}/not/there.git/info/refs?service=git-upload-pack`);
    expect(absent.status).toBe(404);
    expect(await absent.text()).toContain("not/there");
    const hostile = await fetch(`http://127.0.0.1:${port}/..%2f..git/info/refs?service=git-upload-pack`);
    expect(hostile.status).toBe(400);
    const damaged = { method: "POST", headers: { "Content-Encoding": "gzip" }, body: "no gzip" };
    await fetch(`${url}/git-upload-pack`, damaged).then((answer) => answer.text());
    await three.kill();
    const away = fetch(`${url}/info/refs?service=git-upload-pack`, { signal: AbortSignal.timeout(500) });
    await expect(away).rejects.toThrow(/aborted/);
    await three.start();
    const push = await cluster.git.run(["push", url, "main:refs/heads/other"], {
      cwd: join(cluster.git.dir, "clone-0"),
    });
    expect(push.code).not.toBe(0);
  } finally {
    frontEnd.kill();
    await once(frontEnd, "exit");
  }
});

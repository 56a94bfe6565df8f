import { execFile } from "node:child_process";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { describe, expect, it, vi } from "vitest";
import { processesAt } from "../support/git.ts";
import { APP, fixture, LARGE, packet } from "../support/git-port-fixture.ts";
import { SOON } from "../support/sync-device.ts";

const run = promisify(execFile);
const FETCH = { method: "POST", headers: { "content-type": "application/x-git-upload-pack-request" } };
const V2 = { ...FETCH, headers: { ...FETCH.headers, "git-protocol": "version=2" } };

describe("stock git with the certificate of a device", () => {
  it.each(["0", "1", "2"])(
    "clones and fetches with protocol version %s, also an id that a ref had before",
    async (v) => {
      await using f = await fixture();
      const url = `https://${f.address}/${APP}.git`;
      const clone = join(f.cluster.dir, "clone.git");
      const version = ["-c", `protocol.version=${v}`];
      await f.git(f.peer, ...version, "clone", "--quiet", "--bare", url, clone);
      await f.git(f.peer, ...version, "-C", clone, "fetch", "--quiet", url, f.old);
      const { stdout } = await f.git(f.peer, "-C", clone, "log", "--format=%s", f.old);
      expect(stdout).toBe("old\n");
    },
  );

  it("is not told of the refs that are Lockstep's own, even where the repository's settings would show them", async () => {
    await using f = await fixture();
    await f.a.git(APP, ["config", "--file", `${f.a.gitDir(APP)}/config`, "transfer.hideRefs", "!refs/lockstep"]);
    const { stdout } = await f.git(f.peer, "ls-remote", `https://${f.address}/${APP}.git`);
    expect(stdout).toBe(`${f.one}\tHEAD\n${f.one}\trefs/heads/main\n`);
  });

  it("stock git with the certificate of a device cannot push", async () => {
    await using f = await fixture();
    const push = f.git(f.peer, "-C", f.a.gitDir(APP), "push", `https://${f.address}/${APP}.git`, "main:other");
    await expect(push).rejects.toMatchObject({ stderr: expect.stringContaining("This port is for reading") });
    const response = await f.ask(`/${APP}.git/git-receive-pack`, {
      method: "POST",
      headers: { "content-type": "application/x-git-receive-pack-request" },
    });
    expect(response.statusCode).toBe(403);
    expect(await f.a.refs(APP)).not.toHaveProperty("refs/heads/other");
  });

  it("may compress its request", async () => {
    await using f = await fixture();
    const asked = gzipSync(`${packet("command=ls-refs\n")}0001${packet("ref-prefix refs/heads/\n")}0000`);
    const headers = { ...V2.headers, "content-encoding": "gzip" };
    const response = await f.ask(`/${APP}.git/git-upload-pack`, { ...V2, headers }, asked);
    expect(await text(response)).toBe(`${packet(`${f.one} refs/heads/main\n`)}0000`);
  });

  it("cannot hide a long request by compressing it: 16 MiB are the limit, unpacked", async () => {
    await using f = await fixture();
    const headers = { ...FETCH.headers, "content-encoding": "gzip" };
    const ask = async (bytes: number) => {
      const zeros = gzipSync(Buffer.alloc(bytes, "0"));
      const response = await f.ask(`/${APP}.git/git-upload-pack`, { ...FETCH, headers }, zeros);
      return [response.statusCode, await text(response)];
    };
    // git itself reads a flush packet in the zeros.
    expect((await ask(16 << 20))[0]).not.toBe(400);
    await f.a.gitCommands();
    expect(await ask((16 << 20) + 1)).toEqual([400, expect.stringContaining("at most 16777216 bytes")]);
    expect((await f.a.gitCommands()).join()).not.toContain("upload-pack");
  });

  it("is told that a repository does not exist, or has no replica here", async () => {
    await using f = await fixture();
    const b = await f.cluster.start("repo002");
    await f.cluster.create("team/else", [b]);
    const names = [`/${APP}`, "team//app", `${APP}.git`, `${APP}/`, "team/none", "team/else", "../../etc", ".lockstep"];
    for (const name of names) {
      const response = await f.ask(`/${name}.git/info/refs?service=git-upload-pack`);
      expect(response.statusCode, name).toBeGreaterThanOrEqual(400);
      expect(await text(response), name).toMatch(/^[A-Z].*\.\n$/);
    }
  });
});

describe("the git port", () => {
  it("serves devices only: other roles and clients without a certificate are refused", async () => {
    await using f = await fixture();
    const url = `https://${f.address}/${APP}.git`;
    for (const role of ["frontend", "operator"] as const) {
      const files = await f.authority.issue(role, "somebody");
      await expect(f.git(files, "ls-remote", url)).rejects.toMatchObject({ stderr: expect.stringContaining("403") });
    }
    const nobody = run("git", ["-c", `http.sslCAInfo=${f.peer.ca}`, "ls-remote", url], {
      env: { PATH: process.env.PATH, HOME: f.cluster.dir },
    });
    await expect(nobody).rejects.toMatchObject({ code: 128 });
  });

  it("ends its git when the client is gone", async () => {
    await using f = await fixture(LARGE);
    const response = await f.ask(`/${APP}.git/git-upload-pack`, V2, fetchOf(f.one));
    expect(response.statusCode).toBe(200);
    expect(await processesAt(f.a.gitDir(APP))).not.toEqual([]);
    response.destroy();
    await vi.waitFor(async () => expect(await processesAt(f.a.gitDir(APP))).toEqual([]), SOON);
  });

  it("sends eight packs at a time, for stock git and the pack stream together", async () => {
    await using f = await fixture(LARGE);
    const pack = JSON.stringify({
      repositoryId: f.a.replica(APP).id,
      version: "1",
      visit: "last",
      wants: [f.one],
      haves: [],
    });
    const byGit = () => f.ask(`/${APP}.git/git-upload-pack`, V2, fetchOf(f.one));
    const byStream = () => f.ask("/v1/pack", { method: "POST" }, pack);
    // Nobody reads them.
    const held: IncomingMessage[] = [];
    for (let count = 0; count < 4; count += 1) held.push(await byGit(), await byStream());
    expect(held.map(({ statusCode }) => statusCode)).toEqual(Array(8).fill(200));
    const [git, stream] = [await byGit(), await byStream()];
    expect(git.statusCode).toBe(503);
    expect(git.headers["retry-after"]).toBe("1");
    expect(await text(git)).toContain("sends 8 packs already");
    expect(stream.statusCode).toBe(503);
    expect(stream.headers["lockstep-ask"]).toBe("");
    // One of either kind makes room for one of the other.
    held[0]!.destroy();
    await vi.waitFor(async () => expect((await byStream()).statusCode).toBe(200), SOON);
    held[1]!.destroy();
    await vi.waitFor(async () => expect((await byGit()).statusCode).toBe(200), SOON);
    for (const response of held) response.destroy();
  });
});

/** A request of version 2 for a pack with everything below `id`. */
function fetchOf(id: string): string {
  return `${packet("command=fetch")}${packet("object-format=sha1")}0001${packet(`want ${id}\n`)}${packet("done\n")}0000`;
}

// Clients that leave, gits that die, gates that end, and what is slow meanwhile.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FETCH_TYPE, GateSite, MIB, PUSH_TYPE, script, untilExists } from "../support/gate-site.ts";
import { processesAt } from "../support/git.ts";

let site: GateSite;
beforeEach(async () => {
  site = await GateSite.make();
});
afterEach(async () => await site[Symbol.asyncDispose]());

/** Resolves when the gate has learnt that the client of its next request has gone, or that it has been answered. */
async function untilClientLeaves(): Promise<void> {
  await new Promise<void>((resolve) => {
    const started = (message: unknown) => {
      unsubscribe("http.server.request.start", started);
      (message as { response: ServerResponse }).response.once("close", resolve);
    };
    subscribe("http.server.request.start", started);
  });
}

describe("a push that breaks off", () => {
  const push = (headers: Record<string, string> = {}) =>
    site
      .open("/team/app.git/git-receive-pack", { method: "POST", headers: { ...PUSH_TYPE, ...headers } })
      .on("error", () => {});

  it("leaves no git process, no quarantine and no ref", async () => {
    const id = await site.sandbox.commit(site.work, "large", { blob: randomBytes(MIB) });
    const client = push();
    client.write((await site.pushBody("refs/heads/main", id)).subarray(0, MIB / 2));
    await site.untilGitRuns();
    client.destroy();
    await site.untilNoGitRuns();
    expect(await site.refs()).toBe("");
    expect(await site.objects()).toEqual([]);
  });

  it.each([
    ["its pack is cut off", (body: Buffer) => body.subarray(0, -MIB / 2)],
    ["its commands are cut off", (body: Buffer) => body.subarray(0, 30)],
    ["its body ends after the commands", (body: Buffer) => body.subarray(0, body.indexOf("PACK"))],
  ])("leaves no quarantine either when its compressed body says that it is whole and %s", async (_what, cut) => {
    const id = await site.sandbox.commit(site.work, "large", { blob: randomBytes(MIB) });
    const body = gzipSync(cut(await site.pushBody("refs/heads/main", id)));
    const headers = { ...PUSH_TYPE, "Content-Encoding": "gzip" };
    await site.fetchRaw("/team/app.git/git-receive-pack", { method: "POST", headers }, body);
    await site.untilNoGitRuns();
    expect(await site.refs()).toBe("");
    expect(await site.objects()).toEqual([]);
  });

  it("leaves nothing when the client leaves during a hook that has a lot to say", async () => {
    const [waiting, go] = [join(site.sandbox.dir, "waiting"), join(site.sandbox.dir, "go")];
    const talks = `i=0; while [ $i -lt 3000 ]; do echo a word to the one who left $i >&2; i=$((i+1)); done`;
    await site.hook("pre-receive", `touch '${waiting}'; while [ ! -e '${go}' ]; do sleep 0.05; done; ${talks}; exit 1`);
    const id = await site.sandbox.commit(site.work, "large", { blob: randomBytes(MIB) });
    const left = untilClientLeaves();
    const client = push();
    client.end(await site.pushBody("refs/heads/main", id));
    await untilExists(waiting);
    client.destroy();
    await left;
    await writeFile(go, "");
    await site.untilNoGitRuns();
    expect(await site.objects()).toEqual([]);
  });

  it("does not happen when only the end of the request is missing", async () => {
    const id = await site.sandbox.commit(site.work, "first");
    const client = push();
    client.write(await site.pushBody("refs/heads/main", id));
    await site.untilGitRuns();
    client.destroy();
    await site.untilNoGitRuns();
    expect(await site.refs()).toBe("");
    expect(await site.objects()).toEqual([]);
  });

  it.each([
    ["a wrong checksum", (zipped: Buffer) => zipped.fill(0, zipped.length - 8)],
    ["a missing end", (zipped: Buffer) => zipped.subarray(0, -9)],
    ["no gzip at all", () => Buffer.from("0000")],
  ])("does not happen when its compressed body has %s", async (_, damage) => {
    const id = await site.sandbox.commit(site.work, "first", { blob: randomBytes(MIB) });
    const body = damage(gzipSync(await site.pushBody("refs/heads/main", id)));
    const headers = { ...PUSH_TYPE, "Content-Encoding": "gzip" };
    const answer = await site.fetchRaw("/team/app.git/git-receive-pack", { method: "POST", headers }, body);
    expect(answer.status).toBe(400);
    await site.untilNoGitRuns();
    expect(await site.refs()).toBe("");
    expect(await site.objects()).toEqual([]);
  });

  it("lands when its compressed body is whole", async () => {
    const id = await site.sandbox.commit(site.work, "first");
    const body = gzipSync(await site.pushBody("refs/heads/main", id));
    const headers = { ...PUSH_TYPE, "Content-Encoding": "x-gzip" };
    const answer = await site.fetchRaw("/team/app.git/git-receive-pack", { method: "POST", headers }, body);
    expect(answer.body).toContain("ok refs/heads/main");
  });

  it("goes on to its post-receive hook when the client leaves after sending everything", async () => {
    const [waiting, go, done] = ["waiting", "go", "done"].map((name) => join(site.sandbox.dir, name)) as [
      string,
      string,
      string,
    ];
    await site.hook("pre-receive", `touch '${waiting}'; while [ ! -e '${go}' ]; do sleep 0.05; done`);
    await site.hook("post-receive", `echo a word to the one who left; touch '${done}'`);
    const id = await site.sandbox.commit(site.work, "first");
    const left = untilClientLeaves();
    const client = push();
    client.end(await site.pushBody("refs/heads/main", id));
    await untilExists(waiting);
    client.destroy();
    await left;
    await writeFile(go, "");
    await untilExists(done);
    expect(await site.refs()).toContain(id);
    await site.untilNoGitRuns();
  });

  it("is an error to the client when receive-pack is killed, and is not sent twice", async () => {
    await site.hook("pre-receive", `echo once >> '${site.sandbox.dir}/runs'; kill -9 $PPID`);
    await site.sandbox.commit(site.work, "first");
    const { code, stderr } = await site.sandbox.run(["push", "origin", "main"], { cwd: site.work });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/hung up unexpectedly|unexpected disconnect/);
    expect(stderr).not.toMatch(/->/);
    expect(await readFile(join(site.sandbox.dir, "runs"), "utf8")).toBe("once\n");
    expect(await site.refs()).toBe("");
  });

  it("ends in a hang-up, also after output, when receive-pack is killed", async () => {
    await site.hook("pre-receive", "echo a word to the client >&2; sleep 0.2; kill -9 $PPID");
    const id = await site.sandbox.commit(site.work, "first");
    const client = push().end(await site.pushBody("refs/heads/main", id));
    const [response] = (await once(client, "response")) as [IncomingMessage];
    await expect(text(response)).rejects.toThrow("aborted");
  });
});

describe("a clone", () => {
  async function clone(): Promise<[ClientRequest, IncomingMessage]> {
    const want = `0032want ${await site.sandbox.git(["rev-parse", "main"], { cwd: site.work })}\n00000009done\n`;
    const client = site.open("/team/app.git/git-upload-pack", { method: "POST", headers: FETCH_TYPE });
    client.on("error", () => {}).end(want);
    return [client, ...((await once(client, "response")) as [IncomingMessage])];
  }

  it("ends its upload-pack when the client leaves", async () => {
    await site.sandbox.commit(site.work, "first");
    await site.sandbox.git(["push", "--quiet", "origin", "main"], { cwd: site.work });
    await script(join(site.sandbox.dir, "pack-slowly"), "exec sleep 60");
    await site.sandbox.git(["config", "--global", "uploadpack.packObjectsHook", join(site.sandbox.dir, "pack-slowly")]);
    const [client] = await clone();
    await site.untilGitRuns();
    client.destroy();
    await site.untilNoGitRuns();
  });

  it("a clone and a push of 300 MiB fit in little memory, however slow the other side is", async () => {
    // Made by another process: this one's memory is what is measured.
    await promisify(execFile)("sh", ["-c", "head -c 300M /dev/urandom | split -b 10M"], { cwd: site.work });
    // Nothing that costs git time: no compression, no search for deltas.
    await site.sandbox.git(["config", "--global", "core.compression", "0"]);
    await site.sandbox.git(["config", "--global", "core.bigFileThreshold", "1m"]);
    await site.sandbox.git(["config", "--global", "receive.unpackLimit", "1"]);
    await site.sandbox.commit(site.work, "300 MiB");
    const before = process.memoryUsage().rss;
    let peak = before;
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 20);

    await script(join(site.sandbox.dir, "bin/git"), `sleep 1; exec '${site.realGit}' "$@"`);
    await site.sandbox.git(["push", "--quiet", "origin", "main"], { cwd: site.work });
    const [, response] = await clone();
    await sleep(1_000);
    let bytes = 0;
    for await (const chunk of response) bytes += (chunk as Buffer).length;
    clearInterval(watch);
    expect(bytes).toBeGreaterThan(300 * MIB);
    expect((peak - before) / MIB).toBeLessThan(150);
  });
});

describe("disposing of the gate", () => {
  it("lets a running push finish", async () => {
    const [waiting, go] = [join(site.sandbox.dir, "waiting"), join(site.sandbox.dir, "go")];
    await site.hook("pre-receive", `touch '${waiting}'; while [ ! -e '${go}' ]; do sleep 0.05; done`);
    const id = await site.sandbox.commit(site.work, "first");
    const push = site.sandbox.run(["push", "origin", "main"], { cwd: site.work });
    await untilExists(waiting);
    const disposed = site.gate[Symbol.asyncDispose]();
    await expect(fetch(site.gate.url)).rejects.toThrow();
    await writeFile(go, "");
    expect((await push).code).toBe(0);
    await disposed;
    expect(await site.refs()).toContain(id);
  });

  it("ends what does not finish in time, be it deaf to SIGTERM", async () => {
    await script(join(site.sandbox.dir, "bin/git"), "trap '' TERM; while :; do sleep 0.1; done");
    await using hasty = await site.openGate({ graceMs: 50 });
    const headers = PUSH_TYPE;
    const answer = fetch(`${hasty.url}/team/app.git/git-receive-pack`, { method: "POST", headers, body: "0000" });
    await site.untilGitRuns();
    await hasty[Symbol.asyncDispose]();
    expect(await processesAt(site.bare)).toEqual([]);
    await expect(answer.then((response) => response.text())).rejects.toThrow();
  });
});

// What becomes known of a git that failed behind the gate, and what requests leave behind that were sent before the answer to the last.
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Gate } from "../../src/gate/gate.ts";
import { FETCH_TYPE, GateSite, GRANT, SOON, script, untilExists } from "../support/gate-site.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const REFS = "/team/app.git/info/refs?service=git-upload-pack";
const UPLOAD = "/team/app.git/git-upload-pack";

let site: GateSite;
let gate: Gate;
let lines: Record<string, unknown>[];
beforeEach(async () => {
  site = await GateSite.make();
  await site.sandbox.commit(site.work, "first", { file: "content" });
  await site.sandbox.git(["push", "--quiet", "origin", "main"], { cwd: site.work });
  lines = [];
  const note = (fields: Record<string, unknown>) => void lines.push(fields);
  gate = await site.openGate({ log: { info: () => {}, warn: note, error: note } });
});
afterEach(async () => {
  await gate[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

/** git does this instead. */
async function git(body: string): Promise<void> {
  await script(join(site.sandbox.dir, "bin/git"), body);
}

async function ask(path: string, headers: Record<string, string> = {}, body?: string) {
  const answer = await fetch(`${gate.url}${path}`, { headers, ...(body !== undefined && { method: "POST", body }) });
  const read = await answer.text().catch(() => "cut off");
  return { status: answer.status, body: read, id: answer.headers.get("x-request-id") };
}

const failures = () => lines.filter(({ event }) => event === "git_failed");

describe("a git that fails", () => {
  it.each([
    ["exits with 3", "exit 3", { exitCode: 3, signal: null }],
    ["is killed", "kill -9 $$", { exitCode: null, signal: "SIGKILL" }],
  ])(
    "a git that fails and %s is in the log with its words and the request, and its client reads a sentence",
    async (_, end, ending) => {
      await git(`echo 'no more room' >&2; ${end}`);
      const sentence = /^git upload-pack failed on this server; tell its operator\./;
      const advertisement = await ask(REFS);
      expect(advertisement).toMatchObject({ status: 500, body: expect.stringMatching(sentence) });
      const fetched = await ask(UPLOAD, FETCH_TYPE, "0000");
      expect(fetched).toMatchObject({
        status: 200,
        body: expect.stringMatching(/^[0-9a-f]{4}ERR git upload-pack failed/),
      });
      expect(fetched.body).toContain(String(fetched.id));
      for (const { id } of [advertisement, fetched])
        await vi.waitFor(
          () =>
            expect(failures()).toContainEqual({
              event: "git_failed",
              repository: "team/app",
              service: "upload-pack",
              requestId: id,
              said: "no more room",
              ...ending,
            }),
          SOON,
        );
    },
  );

  it("a git that fails in the middle of a fetch is told by git itself", async () => {
    const noPack = join(site.sandbox.dir, "no-pack");
    await script(noPack, 'echo "a disk is gone" >&2; kill -9 "$PPID"');
    await site.sandbox.git(["config", "--global", "uploadpack.packObjectsHook", noPack]);
    const args = ["clone", "--quiet", `${gate.url}/team/app.git`, "clone"];
    const { code, stderr } = await site.sandbox.run(args, { cwd: site.sandbox.dir });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/git upload-pack failed on this server; tell its operator\. \(request [\w-]+\)/);
    await vi.waitFor(() => expect(failures()).toMatchObject([{ repository: "team/app", signal: "SIGKILL" }]), SOON);
  });

  it("a git that fails in the middle of a push is told in words, and no ref is reported", async () => {
    const go = join(site.sandbox.dir, "go");
    // git is killed when the client has its last packet: in the middle of one, nobody could add a sentence.
    const wait = `while [ ! -e '${go}' ]; do sleep 0.01; done`;
    await site.hook("pre-receive", `echo a word to the client >&2; ${wait}; kill -9 $PPID`);
    await site.sandbox.commit(site.work, "second");
    const pushing = site.sandbox.start(["push", `${gate.url}/team/app.git`, "main"], { cwd: site.work });
    const ended = once(pushing, "close");
    let stderr = "";
    pushing.stderr?.setEncoding("utf8").on("data", (words: string) => {
      stderr += words;
      if (stderr.includes("a word to the client")) void writeFile(go, "");
    });
    const [code] = await ended;
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/git receive-pack failed on this server/);
    expect(stderr).not.toMatch(/->/);
    await vi.waitFor(() => expect(failures()).toMatchObject([{ service: "receive-pack", signal: "SIGKILL" }]), SOON);
  });

  it("is in the log with the reason when it cannot be started", async () => {
    await using blind = await site.openGate({
      env: { PATH: "/nowhere", HOME: site.sandbox.dir },
      log: { info: () => {}, warn: () => {}, error: (fields) => void lines.push(fields) },
    });
    const answer = await fetch(`${blind.url}${REFS}`);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain("git could not be started on this server");
    const requestId = answer.headers.get("x-request-id");
    expect(failures()).toMatchObject([{ repository: "team/app", requestId, said: expect.stringContaining("ENOENT") }]);
  });

  it("is not logged if its client has left", async () => {
    const started = join(site.sandbox.dir, "started");
    await git(`touch '${started}'; while :; do sleep 0.1; done`);
    const leaving = new AbortController();
    const left = fetch(`${gate.url}${UPLOAD}`, {
      method: "POST",
      headers: FETCH_TYPE,
      body: "0000",
      signal: leaving.signal,
    });
    await untilExists(started);
    leaving.abort();
    await expect(left).rejects.toThrow();
    await site.untilNoGitRuns();
    expect(failures()).toEqual([]);
  });
});

describe("requests that are sent before the answer to the last one", () => {
  async function open(): Promise<Socket> {
    const { hostname, port } = new URL(gate.url);
    const socket = connect(Number(port), hostname);
    await once(socket, "connect");
    return socket;
  }
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: gate\r\n\r\n`;

  /** Resolves with all answers when there are so many. */
  async function answers(socket: Socket, count: number): Promise<string> {
    let all = "";
    let seen = 0;
    for await (const chunk of socket) {
      all += String(chunk);
      seen = all.split("X-Request-Id: ").length - 1;
      // The last one has ended.
      if (seen >= count && all.endsWith("0\r\n\r\n")) break;
    }
    expect(seen).toBe(count);
    return all;
  }

  it("are answered in their order, one git at a time", async () => {
    let most = 0;
    let now = 0;
    site.beforeRead = async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      return GRANT;
    };
    const socket = await open();
    const names = Array.from({ length: 40 }, (_, n) => (n % 2 ? REFS : `/team/none-${n}.git${REFS.slice(13)}`));
    socket.write(names.map(get).join(""));
    let all = "";
    for await (const chunk of socket) {
      all += String(chunk);
      if (all.split("HTTP/1.1 ").length > 40 && all.endsWith("0\r\n\r\n")) break;
    }
    const statuses = [...all.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
    expect(statuses).toEqual(names.map((_, n) => (n % 2 ? "200" : "404")));
    expect(most).toBe(1);
  });

  it("leave nothing behind when their client leaves", async () => {
    const started = join(site.sandbox.dir, "started");
    await git(`echo x >> '${started}'; while :; do sleep 0.1; done`);
    const socket = await open();
    const type = `Content-Type: ${FETCH_TYPE["Content-Type"]}`;
    socket.write(`POST ${UPLOAD} HTTP/1.1\r\nHost: gate\r\n${type}\r\nContent-Length: 4\r\n\r\n0000`.repeat(50));
    await untilExists(started);
    socket.destroy();
    await site.untilNoGitRuns();
    expect(await readFile(started, "utf8")).toBe("x\n");
  });

  it("requests that are sent before the answer to the last one leave no memory behind", async () => {
    site.beforeRead = async () => await Promise.reject(new Error("not today"));
    const AT_ONCE = 500;
    const round = async () => {
      const socket = await open();
      socket.write(get(REFS).repeat(AT_ONCE));
      await once(socket, "data");
      // Most of them still wait.
      socket.destroy();
    };
    const heap = () => {
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    const rounds = async (count: number) => {
      for (let done = 0; done < count; done += 1) await round();
      // Those that are under way have ended when the gate answers again.
      await (await fetch(`${gate.url}${REFS}`)).text();
    };
    await rounds(10);
    const before = heap();
    await rounds(40);
    // A request that stays costs 3,000 bytes and more.
    expect((heap() - before) / (40 * AT_ONCE)).toBeLessThan(100);
    site.beforeRead = async () => GRANT;
    const socket = await open();
    socket.write(get(REFS).repeat(5));
    expect(await answers(socket, 5)).toContain("refs/heads/main");
    socket.destroy();
  });
});

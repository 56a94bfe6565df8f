// Sources whose git hangs, over the real git port: the process that should send is alive and well, and its git does nothing.
import { once } from "node:events";
import { request } from "node:https";
import { describe, expect, it, vi } from "vitest";
import { startPack } from "../../src/git/objects/send-pack.ts";
import { PackClient } from "../../src/git/peers/pack-stream.ts";
import { TlsLine } from "../../src/git/peers/peer-lines.ts";
import { Follower } from "../../src/sync/catch-up/follower.ts";
import { WAITS } from "../../src/waits.ts";
import { processesAt } from "../support/git.ts";
import { authorityIn, contentsOf, credentialsOf, type Files, openGitPort, TRUST_DOMAIN } from "../support/git-port.ts";
import { repairing } from "../support/repairing.ts";
import { shortWaits } from "../support/short-waits.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, SOON, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
/** For each pack-objects; `exec`, so that the process that is killed is the one that hangs. */
const onPackObjects = (script: string) => `case "$*" in pack-objects*) ${script};; esac`;
const HANGS = onPackObjects("exec sleep 1000");
const STOPS = onPackObjects('kill -STOP "$$"');
const says = (line: string, seconds: number, andThen = "") =>
  onPackObjects(`for i in $(seq ${seconds * 4}); do printf "${line}\\r" "$i" >&2; sleep 0.25; done; ${andThen}`);

interface Fixture extends AsyncDisposable {
  readonly cluster: TestCluster;
  /** Both hold everything, and have their git ports open. */
  readonly a: TestDevice;
  readonly b: TestDevice;
  /** Asks `a` first, as it is in the same zone. */
  readonly c: TestDevice;
  readonly files: Files;
  readonly address: string;
}

async function fixture(repositories: readonly string[] = [APP], sources = 2): Promise<Fixture> {
  const cluster = await TestCluster.make();
  const authority = await authorityIn(credentialsOf(cluster));
  const a = await cluster.start("repo001", { zone: "here" });
  const b = await cluster.start("repo002", { zone: "there" });
  const files = await authority.issue("device", "repo003");
  const c = await cluster.start("repo003", { zone: "here", gitCredentials: files });
  const holders = [a, b].slice(0, sources);
  for (const name of repositories) {
    await cluster.create(name, [...holders, c]);
    await a.push(name, [change("main", null, await a.commit(name, "one"))]);
    for (const holder of holders) await holder.read(name);
  }
  const ports = await Promise.all(
    [a, b].map(async (each) => await openGitPort(each, await authority.issue("device", each.name))),
  );
  const line = new TlsLine(await contentsOf(files), TRUST_DOMAIN);
  const client = new PackClient(line);
  c.openPack = ({ device, gitAddress }, ...rest) => client.open(device, gitAddress, ...rest);
  return {
    cluster,
    a,
    b,
    c,
    files,
    address: ports[0]!.address,
    async [Symbol.asyncDispose]() {
      line[Symbol.dispose]();
      for (const port of ports) await port[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

const askedBy = (device: TestDevice) => device.packRequests.map(({ from }) => from);

describe("a source whose git hangs", () => {
  it.each(Object.entries({ sleeps: HANGS, "is stopped": STOPS }))(
    "before its first byte (it %s) is left for another one after a moment, and not asked first again",
    async (_, script) => {
      await using f = await fixture();
      await f.a.beforeGit(script);
      expect(await f.c.read(APP)).toMatchObject({ version: 1n });
      expect(askedBy(f.c)).toEqual(["repo001", "repo002"]);
      expect((await f.c.syncEvents()).at(-1)).toMatchObject({ from_device: "repo002", result: "ok" });
      await f.c.expectInLockstep(APP);
      // Its git ends with the connection.
      await vi.waitFor(async () => expect(await processesAt(f.a.gitDir(APP))).toEqual([]), SOON);

      await f.b.push(APP, [change("topic", null, await f.b.commit(APP, "two"))]);
      await f.a.beforeGit("");
      await f.a.read(APP);
      await f.a.beforeGit(script);
      expect(await f.c.read(APP)).toMatchObject({ version: 2n });
      expect(askedBy(f.c)).toEqual(["repo001", "repo002", "repo002"]);
    },
  );

  it("and repeats what it said last is left, too; one that says something new is waited for, and nobody else is asked", async () => {
    await using f = await fixture();
    const seconds = (2 * WAITS.sourceHedgeMs) / 1000;
    await f.a.beforeGit(says("Counting objects: %d", seconds));
    expect(await f.c.read(APP)).toMatchObject({ version: 1n });
    expect(askedBy(f.c)).toEqual(["repo001"]);
    await f.b.push(APP, [change("topic", null, await f.b.commit(APP, "two"))]);
    await f.a.beforeGit("");
    await f.a.read(APP);
    await f.a.beforeGit(says("Counting objects: 5%%", seconds));
    expect(await f.c.read(APP)).toMatchObject({ version: 2n });
    expect(askedBy(f.c)).toEqual(["repo001", "repo001", "repo002"]);
  });

  it("tells the peer only of what is new: that its own process is alive is no sign of work", async () => {
    await using f = await fixture();
    const body = JSON.stringify({
      repositoryId: f.a.replica(APP).id,
      version: "1",
      visit: "last",
      wants: [(await f.a.refs(APP))["refs/heads/main"]],
      haves: [],
    });
    const signsUntilAnswer = async (script: string) => {
      await f.a.beforeGit(script);
      const tls = await contentsOf(f.files);
      const asking = request(`https://${f.address}/v1/pack`, { ...tls, agent: false, method: "POST" });
      let signs = 0;
      asking.on("information", () => {
        signs += 1;
      });
      asking.end(body);
      const [response] = await once(asking, "response");
      response.resume();
      await once(response, "end");
      return signs;
    };
    expect(await signsUntilAnswer(says("Counting objects: %d", 4, "exit 1"))).toBeGreaterThan(3);
    expect(await signsUntilAnswer(says("Counting objects: 5%%", 4, "exit 1"))).toBe(1);
    expect(await signsUntilAnswer(onPackObjects("sleep 4; exit 1"))).toBe(0);
  });

  it("is given up by its own device after a while, with its place", async () => {
    await using f = await fixture();
    const wants = [(await f.a.refs(APP))["refs/heads/main"]!];
    await f.a.beforeGit(HANGS);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const never = new AbortController().signal;
      const pack = startPack(f.a.context.git, f.a.gitDir(APP), wants, [], never);
      const failed = expect(pack).rejects.toMatchObject({
        code: "SOURCE_FAILED",
        message: expect.stringContaining(`has shown no work for ${WAITS.gitSilentMs / 1000} s`),
      });
      await vi.advanceTimersByTimeAsync(WAITS.gitSilentMs);
      await failed;
    } finally {
      vi.useRealTimers();
    }
    await vi.waitFor(async () => expect(await processesAt(f.a.gitDir(APP))).toEqual([]), SOON);
  });

  it("is waited for no longer than a silent git where it is the only one", async () => {
    await using f = await fixture([APP], 1);
    f.c.openPack = (_peer, _request, signal) =>
      new Promise((_, failed) => signal.addEventListener("abort", () => failed(new Error("hung up on"))));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const read = f.c.read(APP, { signal: new AbortController().signal });
      const failed = expect(read).rejects.toMatchObject({
        code: "NO_SOURCE",
        message: expect.stringContaining(`repo001: it showed no work for ${WAITS.gitSilentMs / 1000} s`),
      });
      const passing = setInterval(() => void vi.advanceTimersByTimeAsync(1_000), 5);
      await failed;
      clearInterval(passing);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("followers", () => {
  it("follow a repository once, however often they hear of it", async () => {
    await using f = await fixture([APP], 1);
    await f.a.beforeGit(HANGS);
    const follower = new Follower(f.c.context);
    for (let count = 0; count < 8; count += 1) await follower.onHeads([f.a.replica(APP).id]);
    await vi.waitFor(() => expect(f.c.packRequests).toHaveLength(1), SOON);
    expect(f.c.replica(APP).waiting).toBe(1);
  });

  it("are not started twice for a repository, however often the repair loop finds it behind", async () => {
    using _ = shortWaits();
    await using f = await fixture([APP], 1);
    await f.a.beforeGit(HANGS);
    await using repairs = repairing(f.c);
    for (let count = 0; count < 8; count += 1) await repairs.loop.pass();
    await vi.waitFor(() => expect(f.c.packRequests).toHaveLength(1), SOON);
    expect(f.c.replica(APP).waiting).toBe(1);
  });

  it("follow the others, however many repositories wait for a source whose git hangs", async () => {
    using _ = shortWaits();
    const hung = ["team/h1", "team/h2", "team/h3", "team/h4", "team/h5", "team/h6"];
    await using f = await fixture([...hung, APP], 1);
    // Of all repositories but one.
    await f.a.beforeGit(onPackObjects('case "$PWD" in *h[1-6].git) exec sleep 1000;; esac'));
    const follower = new Follower(f.c.context);
    const ids = hung.map((name) => f.a.replica(name).id);
    await follower.onHeads(ids);
    await vi.waitFor(() => expect(f.c.packRequests.length).toBeGreaterThanOrEqual(4), SOON);
    await follower.onHeads([f.a.replica(APP).id]);
    await vi.waitFor(() => expect(f.c.replica(APP).applied).toBe(1n), SOON);
    expect(hung.map((name) => f.c.replica(name).applied)).toEqual(hung.map(() => 0n));
  });
});

import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { type ClientReadableStream, credentials, makeGenericClientConstructor } from "@grpc/grpc-js";
import { service as health } from "grpc-health-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { expectAtRest } from "../support/at-rest.ts";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, three, two } from "../support/file-cluster.ts";
import { holdPush } from "../support/held-push.ts";
import { isAlive, untilGone } from "../support/processes.ts";
import { PushHistory } from "../support/push-history.ts";
import { soon } from "../support/soon.ts";

/** Of `serve`, from the signal to the end of what is under way. */
const GRACE_MS = 10_000;
const SOON = soon(10);

startClusterOfFile();
// What a test that failed left stopped or dead.
afterEach(async () => {
  for (const device of cluster.devices) {
    if (isAlive(device.pid)) process.kill(device.pid, "SIGCONT");
    else await device.start();
  }
});

const terminate = (device: Device) => process.kill(device.pid, "SIGTERM");
const untilNotReady = (device: Device) => vi.waitFor(async () => expect(await device.isReady()).toBe(false), SOON);

/** Tells a sidecar to stop, then more. Its push under way is cut off. Returns after how long the sidecar had ended. */
async function cutOff(more: () => Promise<void>): Promise<number> {
  const history = await PushHistory.begin(cluster, ada);
  await using held = await holdPush(one, history.repository, "prepared");
  const push = history.push(one, "held");
  await held.reached();
  const startedAt = performance.now();
  terminate(one);
  await more();
  await untilGone(one.pid);
  const lastedMs = performance.now() - startedAt;
  expect(await push).toMatchObject({ verdict: "neither" });
  await held.release();
  await one.start();
  await history.expectTrueAndAtRest();
  return lastedMs;
}

describe("a sidecar that is told to stop", () => {
  it("takes nothing new, lets the write under way end, and exits with 0", async () => {
    const history = await PushHistory.begin(cluster, ada);
    await one.kill();
    const child = one.launch();
    one.pid = child.pid!;
    await one.untilReady();
    await using held = await holdPush(one, history.repository, "prepared");
    const push = history.push(one, "held");
    await held.reached();
    const exited = once(child, "exit");
    terminate(one);
    await untilNotReady(one);
    const late = { repository: history.repository };
    await expect(one.call("BeforeRead", late, PATIENCE)).rejects.toMatchObject({ code: "SIDECAR_UNAVAILABLE" });
    const read = await cluster.git.run(["ls-remote", one.url(history.repository)]);
    expect(read).toMatchObject({ code: 128, stderr: expect.stringContaining("503") });
    expect((await history.push(one, "late")).verdict).not.toBe("acknowledged");
    expect(isAlive(one.pid)).toBe(true);
    await held.release();
    expect(await push).toMatchObject({ verdict: "acknowledged" });
    expect(await exited).toEqual([0, null]);
    // Nobody waits for its lease, and nobody misses what it wrote last.
    await history.untilAcknowledged(two, "y");
    await one.start();
    expect(await history.expectTrueAndAtRest()).toMatchObject({ version: 2 });
  });

  it("tells callers that watch its health, and does not wait for them", async () => {
    const Health = makeGenericClientConstructor(health, "Health");
    const client = new Health(`unix:${one.demo.socket}`, credentials.createInsecure());
    const seen: unknown[] = [];
    const watch = client.watch!({ service: "" }) as unknown as ClientReadableStream<{ status: string }>;
    watch.on("data", ({ status }) => seen.push(status));
    const ended = new Promise((resolve) => watch.once("end", resolve));
    await vi.waitFor(() => expect(seen).toEqual(["SERVING"]), SOON);
    const startedAt = performance.now();
    terminate(one);
    await ended;
    await untilGone(one.pid);
    client.close();
    expect(seen).toEqual(["SERVING", "NOT_SERVING"]);
    expect(performance.now() - startedAt).toBeLessThan(GRACE_MS);
  });

  it("cuts off calls that have not ended within the grace, and no caller is told anything false", async () => {
    expect(await cutOff(async () => {})).toBeGreaterThan(GRACE_MS - 500);
  });

  it("ends at once when it is told a second time", async () => {
    const secondTime = async () => {
      await untilNotReady(one);
      terminate(one);
    };
    expect(await cutOff(secondTime)).toBeLessThan(GRACE_MS);
  });

  it("refuses with a sentence a push that has only been uploading, and another device takes it", async () => {
    const history = await PushHistory.begin(cluster, ada);
    await using held = await holdPush(one, history.repository, "received");
    const push = history.push(one, "held");
    await held.reached();
    terminate(one);
    await untilGone(one.pid);
    await held.release();
    const { verdict, stderr } = await push;
    expect(verdict).toBe("refused");
    expect(stderr).toMatch(
      /remote: lockstep: the sidecar of this server does not answer .*, so this push was refused and nothing has changed/,
    );
    await history.untilAcknowledged(two, "held");
    await one.start();
    expect(await history.expectTrueAndAtRest()).toMatchObject({ version: 1 });
  });

  it("stays until another device has the writes that only this one had", async () => {
    const history = await PushHistory.begin(cluster, ada);
    for (const other of [two, three]) process.kill(other.pid, "SIGSTOP");
    expect((await history.push(one, "x")).verdict).toBe("acknowledged");
    terminate(one);
    await untilNotReady(one);
    // Time enough to end for one that does not wait for the others.
    await delay(1_000);
    expect(isAlive(one.pid)).toBe(true);
    process.kill(two.pid, "SIGCONT");
    await untilGone(one.pid);
    process.kill(three.pid, "SIGCONT");
    await history.untilAcknowledged(two, "y");
    await history.untilAcknowledged(three, "z");
    await one.start();
    expect(await history.expectTrueAndAtRest()).toMatchObject({ version: 3 });
  });
});

/** Somebody who pushes and reads, again and again, and turns to another device when one refuses. */
class Client {
  readonly acknowledged: string[] = [];
  /** Acts done, and devices that refused on the way. */
  acts = 0;
  refusals = 0;
  readonly #name: string;
  readonly #repository: string;
  readonly #devices: readonly Device[];

  constructor(name: string, repository: string, devices: readonly Device[]) {
    this.#name = name;
    this.#repository = repository;
    this.#devices = devices;
  }

  async run(stop: AbortSignal): Promise<void> {
    for (let turn = 0; !stop.aborted; turn += 1) {
      const commit = await ada.commit();
      const ref = `refs/heads/${this.#name}`;
      await this.#anywhere(turn, (url) => ada.push(url, "--force", `${commit}:${ref}`));
      this.acknowledged.push(commit);
      // On another device than the push, if that serves.
      const seen = await this.#anywhere(turn + 1, (url) => cluster.git.run(["ls-remote", url, ref]));
      expect(seen.stdout.trim()).toBe(`${commit}\t${ref}`);
      this.acts += 1;
    }
  }

  /** One device at a time is away: whatever one refuses, the next one must do. */
  async #anywhere<T extends { code: number | null; stderr: string }>(
    turn: number,
    act: (url: string) => Promise<T>,
  ): Promise<T> {
    const [first, second] = [0, 1].map((step) => this.#devices[(turn + step) % this.#devices.length]!);
    const result = await act(first!.url(this.#repository));
    if (result.code === 0) return result;
    this.refusals += 1;
    const again = await act(second!.url(this.#repository));
    if (again.code === 0) return again;
    throw new Error(`${first!.name} refused: ${result.stderr}\n${second!.name} refused too: ${again.stderr}`);
  }
}

it("all devices are restarted one after the other, and another device does what a restarting one refuses", async () => {
  const repository = await cluster.createRepository();
  const clients = ["ada", "bob", "cleo", "dora"].map((name) => new Client(name, repository, cluster.devices));
  const stop = new AbortController();
  const running = Promise.all(clients.map((client) => client.run(stop.signal)));
  running.catch(() => {});
  /** Until everyone has begun and ended an act: nobody shall meet two devices that are away in one act. */
  const untilAllHaveActed = async () => {
    const before = clients.map(({ acts }) => acts);
    const acted = vi.waitFor(() => {
      for (const [index, { acts }] of clients.entries()) expect(acts).toBeGreaterThan(before[index]! + 1);
    }, soon(20));
    await Promise.race([acted, running]);
  };
  for (const device of cluster.devices) {
    await untilAllHaveActed();
    terminate(device);
    await untilGone(device.pid);
    await untilAllHaveActed();
    await device.start();
  }
  await untilAllHaveActed();
  stop.abort();
  await running;
  const { log } = await expectAtRest(cluster, repository);
  const landed = new Set(log.flatMap(({ updates }) => updates.map(({ newValue }) => newValue)));
  for (const { acknowledged } of clients) for (const commit of acknowledged) expect(landed).toContain(commit);
  const sum = (count: (client: Client) => number) => clients.reduce((all, client) => all + count(client), 0);
  // Fails as well where nobody ever met a device that was away.
  expect(sum(({ refusals }) => refusals)).toBeGreaterThan(0);
  console.log(
    `${sum(({ acts }) => acts)} pushes and reads, ${sum(({ refusals }) => refusals)} of them at the second device`,
  );
});

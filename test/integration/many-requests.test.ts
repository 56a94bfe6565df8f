// What a request leaves behind: nothing. In CI 8,000 requests; the whole of it, a few minutes:
// LOCKSTEP_REQUESTS=200000 npx vitest run --project integration test/integration/many-requests.test.ts
import { getEventListeners } from "node:events";
import { readdir } from "node:fs/promises";
import { Agent, get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { serveHttp } from "../../src/http/server.ts";
import { beforeRead } from "../../src/sync/read/before-read.ts";
import { serveDevice } from "../support/served-rpc.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import type { TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
const REQUESTS = Number(process.env.LOCKSTEP_REQUESTS ?? 24_000);
/** Until then compiled code, pools and caches still grow: 1.3 MB. */
const WARM_UP = 8_000;
const AT_ONCE = 32;
/** A request that leaves a signal behind costs 57. */
const BYTES_A_REQUEST = 40;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Bytes of the heap that are in use. */
async function heap(): Promise<number> {
  for (let round = 0; round < 4; round += 1) {
    collectGarbage();
    await sleep(50);
  }
  return process.memoryUsage().heapUsed;
}

/** How many signals a signal still knows that were made from it: `AbortSignal.any` notes each in a set that is never emptied. */
function madeFrom(signal: AbortSignal): number {
  const key = Object.getOwnPropertySymbols(signal).find(({ description }) => description === "kDependantSignals");
  const kept = key && (signal as unknown as Record<symbol, { size: number } | null | undefined>)[key];
  return kept?.size ?? 0;
}

async function repeat(count: number, request: () => Promise<void>): Promise<void> {
  let left = count;
  const work = async () => {
    while (left-- > 0) await request();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

async function serve(
  device: TestDevice,
): Promise<AsyncDisposable & { byRpc(): Promise<void>; byGate(): Promise<void> }> {
  const { context } = device;
  const services = await serveDevice(device);
  const http = await serveHttp(
    { host: "127.0.0.1", port: 0 },
    {
      serving: () => true,
      hostNames: new Set(),
      checks: {},
      log: context.log,
      metrics: () => context.metrics.page(),
      beforeRead: async (repository, options) => void (await beforeRead(context, repository, options)),
    },
  );
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const url = `http://127.0.0.1:${http.port}/gate?repository=${APP}`;
  return {
    async byRpc() {
      await services.client.call("BeforeRead", { repository: APP }, { timeoutMs: 30_000 });
    },
    byGate: () =>
      new Promise((resolve, reject) => {
        get(url, { agent }, (response) => {
          response.resume();
          response.once("end", () => (response.statusCode === 204 ? resolve() : reject(new Error("refused"))));
        }).once("error", reject);
      }),
    async [Symbol.asyncDispose]() {
      agent.destroy();
      await http[Symbol.asyncDispose]();
      await services[Symbol.asyncDispose]();
    },
  };
}

it("is told by a signal how many were made from it", () => {
  const { signal } = new AbortController();
  expect(madeFrom(signal)).toBe(0);
  const made = AbortSignal.any([signal]);
  expect([madeFrom(signal), made.aborted]).toEqual([1, false]);
});

it("leaves no memory, no descriptor and no listener behind, however many requests are served", async () => {
  await using cluster = await TestCluster.make();
  const [a] = await cluster.pair(APP);
  await using served = await serve(a);
  const both = async (count: number) => {
    await repeat(count / 2, served.byRpc);
    await repeat(count / 2, served.byGate);
  };
  const state = async () => ({
    descriptors: (await readdir("/proc/self/fd")).length,
    listeners: getEventListeners(a.context.signal, "abort").length,
    signals: madeFrom(a.context.signal),
    bytes: await heap(),
  });
  await both(WARM_UP);
  const before = await state();
  await both(REQUESTS);
  const after = await state();
  // The pause between two renewals of the lease has one, the renewal itself has none.
  expect(after.listeners).toBeLessThanOrEqual(before.listeners + 1);
  expect(after.signals).toBe(before.signals);
  expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + 5);
  expect((after.bytes - before.bytes) / REQUESTS).toBeLessThan(BYTES_A_REQUEST);
}, 600_000);

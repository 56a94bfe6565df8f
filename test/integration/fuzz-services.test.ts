// Generated messages to every RPC, and generated requests to the git port, of one device. Many by hand:
// LOCKSTEP_FUZZ_RUNS=200 npx vitest run --project integration --testTimeout 0 fuzz-services
import { readdir } from "node:fs/promises";
import { Agent, request } from "node:https";
import { join, relative } from "node:path";
import fc from "fast-check";
import protobuf from "protobufjs";
import { expect, it } from "vitest";
import type { Client } from "../../src/client/client.ts";
import { ERROR_TABLE, LockstepError } from "../../src/errors.ts";
import { DIRECTORY_PATH, HOLD_PATH, PACK_PATH } from "../../src/git/peers/pack-requests.ts";
import { parseProtocol } from "../../src/protocol/proto.ts";
import { fuzz, fuzzCount, oddText } from "../support/fuzz.ts";
import { authorityIn, contentsOf, credentialsOf, openGitPort } from "../support/git-port.ts";
import { serveDevice } from "../support/served-rpc.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, type TestDevice } from "../support/sync-device.ts";

const APP = "team/app";
const AT_ONCE = 8;
/** The deadline of a call. Calls that rightly wait for other devices or for new commits end with it. */
const DEADLINE = { timeoutMs: 1_000 };
const PATIENCE = { timeoutMs: 30_000 };

/** What the sidecar logs with the stack of an internal error. */
const UNEXPECTED = "an error that nobody expected";

type Values = Record<string, unknown>;
type Asked = { readonly method: string; readonly streams: boolean; readonly values: Values };

const repository = fc.oneof({ weight: 4, arbitrary: fc.constant(APP) }, oddText(20));
const device = fc.oneof(fc.constantFrom("repo001", "repo002", "repo003"), oddText(20));
/** Values of fields that refuse almost every other text at once. No URL leads anywhere. */
const KNOWN: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  repository,
  newName: fc.oneof(fc.constantFrom("a/b", APP), oddText(20)),
  repositories: fc.array(fc.oneof(repository, fc.constantFrom("*", "team/?")), { maxLength: 3 }),
  device,
  devices: fc.array(device, { maxLength: 3 }),
  promote: device,
  url: fc.oneof(fc.constantFrom("http://127.0.0.1:1/", "https://127.0.0.1:1/x"), oddText(10)),
  command: fc.oneof(fc.constantFrom("sync", "verify", "gc", "repair", "release"), oddText(10)),
  cursor: fc.oneof(fc.constantFrom("now", "beginning", "1.0", "1.9-1.2"), oddText(10)),
};

const NUMBERS = [0, 1, -1, 2, 100, 2 ** 31 - 1, -(2 ** 31), 2 ** 32 - 1, Number.MAX_SAFE_INTEGER];
const HUGE = ["9223372036854775807", "-9223372036854775808", "18446744073709551615"];

/** A value of the type of the field, mostly an odd one. */
function fieldValue(field: protobuf.Field): fc.Arbitrary<unknown> {
  const { resolvedType, type } = field.resolve();
  if (resolvedType instanceof protobuf.Enum) return fc.constantFrom(...Object.values(resolvedType.values), 99, -1);
  if (resolvedType instanceof protobuf.Type) return fc.option(messageOf(resolvedType), { nil: undefined, freq: 3 });
  if (type === "string") return fc.oneof(oddText(), fc.constant("x".repeat(300_000)));
  if (type === "bytes") return fc.uint8Array({ maxLength: 50 });
  if (type === "bool") return fc.boolean();
  return fc.constantFrom(...NUMBERS, ...(type.endsWith("64") ? HUGE : []));
}

function messageOf(type: protobuf.Type): fc.Arbitrary<Values> {
  const fields = type.fieldsArray.map((field) => {
    const known = KNOWN[field.name];
    const { resolvedType } = field.resolve();
    // A list has no messages that are not there.
    const value = field.repeated && resolvedType instanceof protobuf.Type ? messageOf(resolvedType) : fieldValue(field);
    return [field.name, known ?? (field.repeated ? fc.array(value, { maxLength: 3 }) : value)] as const;
  });
  return fc.record(Object.fromEntries(fields), { requiredKeys: [] }) as fc.Arbitrary<Values>;
}

/** Returns `count` messages for each RPC. */
function messages(count: number): Asked[] {
  const root = parseProtocol();
  const { seed } = fuzz();
  return ["SyncService", "ClusterService"].flatMap((service) =>
    root.lookupService(`lockstep.v1.${service}`).methodsArray.flatMap((method) => {
      const arbitrary = messageOf((method.resolve() as protobuf.Method).resolvedRequestType as protobuf.Type);
      const all = fc.sample(arbitrary, { numRuns: count, ...(seed !== undefined && { seed }) });
      const streams = method.responseStream === true;
      return all.filter(isHarmless(method.name)).map((values) => ({ method: method.name, streams, values }));
    }),
  );
}

/** Leaves out what would rightly end this device, its removal, and ssh, which a device of one process does not have. */
const isHarmless = (method: string) => (values: Values) =>
  method !== "FindSshWay" && (method !== "RemoveDevice" || values.device !== "repo001");

/** Makes one call and returns its error. undefined: it was answered, or went on to its deadline as a stream does. */
async function call(client: Client, { method, streams, values }: Asked): Promise<unknown> {
  try {
    if (!streams) await client.call(method as "GetVersion", values as never, DEADLINE);
    else {
      const late = AbortSignal.timeout(DEADLINE.timeoutMs);
      for await (const _ of client.stream(method as "Watch", values as never, late)) if (late.aborted) break;
    }
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Works through the list, several at a time. */
async function inTurns<T>(list: readonly T[], work: (each: T) => Promise<void>): Promise<void> {
  const left = [...list];
  const worker = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Returns what lies beside the roots of the devices, and at the top of each root. */
async function places(cluster: TestCluster): Promise<{ outside: string[]; inside: string[] }> {
  const roots = [...cluster.devices.values()].map(({ context }) => context.root);
  const all = await readdir(cluster.dir, { recursive: true });
  const isBelow = (path: string) => roots.some((root) => !relative(root, join(cluster.dir, path)).startsWith(".."));
  const inside = await Promise.all(roots.map(async (root) => await readdir(root)));
  return { outside: all.filter((path) => !isBelow(path)).sort(), inside: inside.flat() };
}

/** Expects the device to serve: a new repository takes a push, and can be read. */
async function expectServing(served: TestDevice, client: Client): Promise<void> {
  await client.call("AllowWrites", { repositories: [] }, PATIENCE).catch(() => {});
  for (const name of ["repo001", "repo002"]) {
    await client.call("UndrainDevice", { device: name }, PATIENCE).catch(() => {});
    await client.call("SetDevice", { device: name, writes: true }, PATIENCE).catch(() => {});
  }
  await client.call("CreateRepository", { repository: "still/here", devices: [served.name] }, PATIENCE);
  await served.read("still/here");
  const id = await served.commit("still/here", "one");
  expect(await served.push("still/here", [change("main", null, id)])).toEqual({ "refs/heads/main": null });
  expect(served.fenced).toBe(false);
}

it("every message to every RPC gets an answer or an error of the table, and the device goes on", async () => {
  await using cluster = await TestCluster.make();
  const [a] = await cluster.pair(APP);
  const id = await a.commit(APP, "one");
  await a.push(APP, [change("main", null, id)]);
  await using served = await serveDevice(a);
  const before = await places(cluster);
  const faults: unknown[] = [];
  const asked = messages(fuzzCount(6));
  await inTurns(asked, async (each) => {
    const error = await call(served.client, each);
    if (error === undefined) return;
    const known = error instanceof LockstepError && error.code in ERROR_TABLE;
    if (!known || ERROR_TABLE[error.code].grpc === "INTERNAL")
      faults.push({ ...each, error, logged: a.logged.filter(({ msg }) => msg === UNEXPECTED) });
  });
  expect(faults).toEqual([]);
  expect(asked.length).toBeGreaterThan(250);
  const after = await places(cluster);
  expect(after.outside).toEqual(before.outside);
  for (const name of after.inside) expect(name).toMatch(/^([\w.+-]+|\.lockstep.*)$/);
  await expectServing(a, served.client);
});

const body = fc.oneof(
  oddText(),
  fc.json(),
  fc
    .record({
      repositoryId: fc.oneof(fc.uuid(), oddText(10)),
      wants: fc.array(oddText(10)),
      version: oddText(10),
      visit: oddText(5),
    })
    .map((each) => JSON.stringify(each)),
);
const path = fc.oneof(
  fc.constantFrom(PACK_PATH, HOLD_PATH, DIRECTORY_PATH, `/${APP}.git/git-upload-pack`, "/../x.git/git-upload-pack"),
  fc.string({ unit: fc.constantFrom(..."/.%?&=a2F-_~:"), maxLength: 30 }).map((rest) => `/${rest}`),
  fc.constant(`/${APP}.git/info/refs?service=git-upload-pack`),
);
const exchange = fc.record({
  path,
  method: fc.constantFrom("GET", "POST", "PUT", "HEAD", "DELETE"),
  type: fc.constantFrom("application/x-git-upload-pack-request", "application/json", "x"),
  encoding: fc.constantFrom("identity", "gzip", "br"),
  body,
});

it("every request to the git port gets an answer that is no internal error, and the device goes on", async () => {
  await using cluster = await TestCluster.make();
  const [a, b] = await cluster.pair(APP);
  const authority = await authorityIn(credentialsOf(cluster));
  const port = await openGitPort(a, await authority.issue("device", a.name));
  const mine = await contentsOf(await authority.issue("device", b.name));
  const before = await places(cluster);
  const agent = new Agent({ ...mine, keepAlive: true, maxSockets: AT_ONCE, checkServerIdentity: () => undefined });
  const { seed } = fuzz();
  const statuses = new Map<number | string, number>();
  await inTurns(fc.sample(exchange, { numRuns: fuzzCount(150), ...(seed !== undefined && { seed }) }), async (each) => {
    const status = await new Promise<number | string>((resolve) => {
      const headers = { "content-type": each.type, "content-encoding": each.encoding };
      const options = { agent, host: "127.0.0.1", port: port.port, path: each.path, method: each.method, headers };
      const sent = request(options, (response) => {
        response.resume().once("end", () => resolve(response.statusCode ?? 0));
      });
      sent.once("error", (error) => resolve(error.message));
      sent.end(each.method === "POST" || each.method === "PUT" ? each.body : undefined);
    });
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  });
  agent.destroy();
  expect([...statuses.keys()].filter((each) => typeof each !== "number" || each === 500)).toEqual([]);
  expect(statuses.size).toBeGreaterThan(3);
  expect((await places(cluster)).outside).toEqual(before.outside);
  const id = await a.commit(APP, "one");
  expect(await a.push(APP, [change("main", null, id)])).toEqual({ "refs/heads/main": null });
  await port[Symbol.asyncDispose]();
});

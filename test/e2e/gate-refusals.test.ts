// The audit has the credentials that `lockstep gate` refuses, with a real gate and sidecar.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { freePort, untilListening } from "../support/ports.ts";
import { SOON } from "../support/soon.ts";

const FLOOD = 1_000;

let cluster: Cluster;
let one: Device;
let repository: string;
let users: string;
let gate: Gate;

/** A gate of its own process. Disposal lets it tell what it has. */
interface Gate extends AsyncDisposable {
  /** Asks to push, and returns the status. */
  ask(user?: string, password?: string): Promise<number>;
  readonly url: string;
}

beforeAll(async () => {
  cluster = await startCluster();
  one = cluster.devices[0]!;
  repository = await cluster.createRepository();
  users = join(cluster.git.dir, "users");
  await writeFile(users, `grace:{SHA}${createHash("sha1").update("hopper").digest("base64")}\n`);
  gate = await startGate();
});
afterAll(async () => {
  await gate?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

async function startGate(): Promise<Gate> {
  const port = await freePort();
  const listen = ["--gate-listen", `127.0.0.1:${port}`];
  const child = one.command(["gate", "--root", one.demo.root, ...listen, "--htpasswd", users, "--anonymous-reads"]);
  // Its log of a thousand refusals fills the pipe if nobody reads.
  for (const stream of [child.stdout, child.stderr]) stream?.resume();
  await untilListening({ host: "127.0.0.1", port });
  const url = `http://127.0.0.1:${port}/${repository}.git`;
  return {
    url,
    async ask(user, password = "wrong") {
      const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
      const answer = await fetch(`${url}/info/refs?service=git-receive-pack`, {
        headers: user === undefined ? {} : { authorization },
      });
      await answer.arrayBuffer();
      return answer.status;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const closed = once(child, "close");
      child.kill("SIGTERM");
      await closed;
    },
  };
}

async function refusedRows(author?: string) {
  const { entries } = await one.call("ListAudit", { limit: 1_000, newest: true }, PATIENCE);
  return entries.filter((row) => row.action === "refused" && (author === undefined || row.author === author));
}

/** How many refused credentials the sidecar knows of. */
async function known(): Promise<number> {
  const page = await (await fetch(`${one.demo.http}/metrics`)).text();
  return Number(/^lockstep_refused_callers_total\{code="UNAUTHENTICATED"\} (\d+)/m.exec(page)?.[1] ?? 0);
}

it("a wrong password is one row with the user and the address; git's first try without one is none", async () => {
  const before = (await refusedRows()).length;
  const read = await cluster.git.run(["ls-remote", gate.url]);
  expect(read.code).toBe(0);
  expect(await gate.ask()).toBe(401);
  expect(await gate.ask("grace", "hopper")).toBe(200);
  expect(await gate.ask("grace", "s3cret")).toBe(401);
  await vi.waitFor(async () => expect(await refusedRows()).toHaveLength(before + 1), SOON);
  const { document } = await one.lockstep("audit");
  expect(document.entries.at(-1)).toMatchObject({
    ...{ author: "user grace", action: "refused", device: one.name, result: "UNAUTHENTICATED" },
    detail: { from: "127.0.0.1", way: "--htpasswd", why: "The name or the password is wrong.", count: 1 },
  });
  expect(JSON.stringify(document)).not.toContain("s3cret");
});

it("a thousand wrong passwords of one user are one or two rows, and each is counted", async () => {
  const before = await known();
  const started = performance.now();
  for (let asked = 0; asked < FLOOD; asked += 20) {
    const statuses = await Promise.all(Array.from({ length: 20 }, () => gate.ask("mallory")));
    expect(new Set(statuses)).toEqual(new Set([401]));
  }
  await vi.waitFor(async () => expect(await refusedRows("user mallory")).not.toEqual([]), SOON);
  // The gate tells the rest when it ends, at the latest.
  await gate[Symbol.asyncDispose]();
  expect((await known()) - before).toBeGreaterThanOrEqual(FLOOD);
  const most = 2 + Math.floor((performance.now() - started) / 20_000);
  expect((await refusedRows("user mallory")).length).toBeLessThanOrEqual(most);
});

it("while the sidecar is away, a wrong password is refused as ever, and told when it is back", async () => {
  await using other = await startGate();
  await one.kill();
  expect(await other.ask("eve")).toBe(401);
  await one.start();
  // Now it has reached the sidecar again. It tells the rest when it ends, at the latest.
  await vi.waitFor(async () => expect(await other.ask("grace", "hopper")).toBe(200), SOON);
  await other[Symbol.asyncDispose]();
  await vi.waitFor(async () => expect(await refusedRows("user eve")).toHaveLength(1), SOON);
});

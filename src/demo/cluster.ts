// Starts the cluster on one machine: a database, a certificate authority, and a process for each sidecar and each gate.
// A process that ends is not restarted.
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { get } from "node:http";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { finished } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "../client/client.ts";
import { LockstepError } from "../errors.ts";
import { type Credentials, makeCredentials, type PlanOptions, planDevices, TRUST_DOMAIN } from "./plan.ts";
import { startPostgres } from "./postgres.ts";

const START_MS = 60_000;
const STOP_MS = 15_000;
const PROBE_MS = 2_000;
const LOOK_MS = 30;
const LOG_LINES_SHOWN = 3;

/** A device as `demo --json` prints it. `argv` and `env` start its sidecar again. */
export interface DemoDevice extends Credentials {
  readonly name: string;
  readonly pid: number;
  readonly argv: string[];
  readonly env: Record<string, string>;
  readonly root: string;
  readonly grpc: string;
  readonly git: string;
  readonly http: string;
  readonly socket: string;
  readonly gate: { readonly url: string; readonly pid: number };
}

export interface DemoCluster {
  readonly database_url: string;
  readonly trust_domain: string;
  readonly ca: string;
  /** The folder of the certificate authority: ca.pem and ca.key. */
  readonly ca_dir: string;
  readonly operator: Credentials;
  readonly frontend: Credentials;
  readonly devices: DemoDevice[];
}

export interface ClusterOptions extends PlanOptions {
  readonly devices: number;
  /** The URL of a database to use; undefined starts an embedded PostgreSQL. */
  readonly databaseUrl: string | undefined;
  readonly say: (line: string) => void;
}

/** Starts a cluster and creates its repository `demo`. `stack` gets a disposal for each started process. */
export async function startCluster(options: ClusterOptions, stack: Disposals): Promise<DemoCluster> {
  const { host, dir, say } = options;
  await mkdir(dir, { recursive: true });
  const database = await startDatabase(options, stack);
  const ca = await makeCredentials(dir, options.devices);
  say(`certificates: ${ca.ca}`);
  const plans = await planDevices(options, ca);
  const started = await Promise.all(
    plans.map(async (plan) => {
      const env = { ...plan.env, LOCKSTEP_DATABASE_URL: database };
      const sidecar = await startProgram(plan.argv, env, join(dir, plan.name, "sidecar.log"), stack);
      const gate = await startProgram(plan.gateArgv, plan.gateEnv, join(dir, plan.name, "gate.log"), stack);
      const { gateArgv: _, gateEnv: __, gateUrl, ...device } = plan;
      const pids = { pid: sidecar.process.pid as number, gate: { url: gateUrl, pid: gate.process.pid as number } };
      return { device: { ...device, env, ...pids }, programs: [sidecar, gate] };
    }),
  );
  const devices = started.map(({ device }) => device);
  await Promise.all(started.map(({ device, programs }) => untilReady(device, programs, host.stop)));
  using client = new Client({ socket: (devices[0] as DemoDevice).socket });
  await client.call("CreateRepository", { repository: "demo" }, { timeoutMs: START_MS });
  // Devices that join without --trust-ca know these two then.
  for (const role of ["operator", "frontend"] as const) {
    const certificate = await readFile(ca[role].cert, "utf8");
    await client.call("TrustKey", { role, name: role, certificate }, { timeoutMs: START_MS });
  }
  return {
    database_url: database,
    trust_domain: TRUST_DOMAIN,
    ca: ca.ca,
    ca_dir: dirname(ca.ca),
    operator: ca.operator,
    frontend: ca.frontend,
    devices,
  };
}

/** Collects disposals and runs them in the reverse order. */
export class Disposals implements AsyncDisposable {
  readonly #undo: (() => Promise<void>)[] = [];

  defer(undo: () => Promise<void>): void {
    this.#undo.push(undo);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The last that started ends first: sidecars and gates before the database.
    for (let undo = this.#undo.pop(); undo; undo = this.#undo.pop()) await undo().catch(() => {});
  }
}

async function startDatabase({ databaseUrl, dir, host, say }: ClusterOptions, stack: Disposals): Promise<string> {
  if (databaseUrl !== undefined) {
    say("database: the one of LOCKSTEP_DATABASE_URL");
    return databaseUrl;
  }
  const server = await startPostgres({ dir, env: host.env, isRoot: host.isRoot, signal: host.stop });
  stack.defer(async () => await server[Symbol.asyncDispose]());
  say(`database: an embedded PostgreSQL, process ${server.pid}`);
  return server.url;
}

interface Program {
  readonly process: ChildProcess;
  readonly log: string;
  /** Resolves when the process has ended and its log is complete. */
  readonly logged: Promise<void>;
}

/**
 * Starts a process in its own process group. Ctrl-C reaches only the demo, which then stops the other processes in
 * order.
 */
async function startProgram(
  argv: string[],
  env: Record<string, string>,
  log: string,
  stack: Disposals,
): Promise<Program> {
  await mkdir(join(log, ".."), { recursive: true });
  const [program, ...args] = argv as [string, ...string[]];
  const child = spawn(program, args, { env, stdio: ["ignore", "ignore", "pipe"], detached: true, cwd: "/" });
  const logged = finished(child.stderr.pipe(createWriteStream(log, { flags: "a" }))).catch(() => {});
  await new Promise<void>((done, failed) => child.once("error", failed).once("spawn", done));
  const ended = new Promise<void>((done) => child.once("exit", () => done()));
  stack.defer(async () => {
    if (hasEnded(child)) return;
    child.kill("SIGTERM");
    if ((await Promise.race([ended, sleep(STOP_MS, "late", { ref: false })])) === "late") {
      child.kill("SIGKILL");
      await ended;
    }
  });
  return { process: child, log, logged };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/**
 * Waits until the sidecar is ready and the gate takes connections. Throws SIDECAR_UNAVAILABLE if one of `programs` has
 * ended, even if another process answers at its address, and after 60 s.
 */
async function untilReady(device: DemoDevice, programs: readonly Program[], stop: AbortSignal): Promise<void> {
  const deadline = Date.now() + START_MS;
  for (;;) {
    stop.throwIfAborted();
    const [serves, takesClients] = await Promise.all([
      isReady(device.http),
      listens(Number(new URL(device.gate.url).port)),
    ]);
    const dead = programs.find((program) => hasEnded(program.process));
    if (dead) throw await notStartedError(device, dead);
    if (serves && takesClients) return;
    if (Date.now() > deadline) throw await notStartedError(device, programs[0] as Program);
    await sleep(LOOK_MS);
  }
}

/** Asks the sidecar whether it is ready. `fetch` would do too, but loading it is a tenth of the start of a demo. */
async function isReady(http: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const asked = get(`${http}/readyz`, { agent: false, timeout: PROBE_MS }, (response) => {
      resolve(response.statusCode === 200);
      response.resume();
    });
    asked.on("timeout", () => asked.destroy()).on("error", () => resolve(false));
  });
}

async function notStartedError(device: DemoDevice, { process, log, logged }: Program): Promise<LockstepError> {
  if (hasEnded(process)) await logged;
  const end = (await readFile(log, "utf8").catch(() => "")).trim().split("\n").slice(-LOG_LINES_SHOWN).join(" / ");
  return new LockstepError(
    "SIDECAR_UNAVAILABLE",
    `${device.name} did not start; mend what the end of its log (${log}) says, and try again: ${end}`,
  );
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  return await new Promise<boolean>((done) => {
    socket.once("connect", () => done(true)).once("error", () => done(false));
  }).finally(() => socket.destroy());
}

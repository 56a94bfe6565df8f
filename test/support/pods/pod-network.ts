// A network of network namespaces: a bridge, and a cable from it to each pod. Nothing of it is reached from outside, and
// nothing outside is reached from it. It needs root, `ip` and util-linux.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readlink } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const AGENT = fileURLToPath(new URL("network-agent.mjs", import.meta.url));
const SUBNET = "10.77.0";
/** The end of the test ends these processes, and with them the namespaces. */
const TIED = ["--pdeathsig", "KILL"];

/** The address of the hub, where services listen too. */
export const HUB = `${SUBNET}.1`;

/** A network namespace, which a sleeping process keeps. */
export interface Namespace extends AsyncDisposable {
  readonly path: string;
  readonly address: string;
}

type Answer = { readonly failure?: string; readonly status?: number; readonly text?: string };

/** The network of one cluster. Disposal removes it. */
export class PodNetwork implements AsyncDisposable {
  readonly path: string;
  readonly #agent: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #questions = 0;

  private constructor(agent: ChildProcess) {
    this.#agent = agent;
    this.path = `/proc/${agent.pid}/ns/net`;
    agent.on("message", ({ id, answer }: { id: number; answer: Answer }) => {
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    });
  }

  /** Makes the bridge, with the address HUB. */
  static async open(): Promise<PodNetwork> {
    const argv = [...TIED, "unshare", "--net", process.execPath, AGENT];
    const agent = spawn("setpriv", argv, { stdio: ["ignore", "inherit", "inherit", "ipc"], env: {} });
    const network = new PodNetwork(agent);
    await untilApart(agent);
    await network.#ip("link", "set", "lo", "up");
    await network.#ip("link", "add", "pods", "type", "bridge");
    await network.#ip("address", "add", `${HUB}/24`, "dev", "pods");
    await network.#ip("link", "set", "pods", "up");
    return network;
  }

  /** Gives the hub one more address, such as that of a service. */
  async addAddress(number: number): Promise<string> {
    await this.#ip("address", "add", `${SUBNET}.${number}/24`, "dev", "pods");
    return `${SUBNET}.${number}`;
  }

  /** Makes the network namespace of a pod, whose address ends with `number`. */
  async join(number: number): Promise<Namespace> {
    const keeper = spawn("setpriv", [...TIED, "unshare", "--net", "sleep", "infinity"], { stdio: "ignore" });
    await untilApart(keeper);
    const path = `/proc/${keeper.pid}/ns/net`;
    const address = `${SUBNET}.${number}`;
    const pod = (...args: string[]) => run("nsenter", [`--net=${path}`, "ip", ...args]);
    await this.#ip("link", "add", `pod${number}`, "type", "veth", "peer", "name", "eth0", "netns", String(keeper.pid));
    await this.#ip("link", "set", `pod${number}`, "master", "pods", "up");
    await pod("link", "set", "lo", "up");
    await pod("address", "add", `${address}/24`, "dev", "eth0");
    await pod("link", "set", "eth0", "up");
    return {
      path,
      address,
      async [Symbol.asyncDispose]() {
        await end(keeper);
      },
    };
  }

  /** Sends GET. Throws if there is no answer within the time. */
  async get(place: { host: string; port: number; path: string; timeoutMs: number }): Promise<Required<Answer>> {
    return (await this.#ask("http", place)) as Required<Answer>;
  }

  /** Connects, or throws why that fails. */
  async connect(place: { host: string; port: number; timeoutMs: number }): Promise<void> {
    await this.#ask("tcp", place);
  }

  /** Passes connections to `listen` on to the places `to`. Called again for the same place, it changes `to`. */
  async relay(listen: { host: string; port: number }, to: readonly object[]): Promise<void> {
    await this.#ask("relay", { listen, to });
  }

  async #ask(act: string, given: object): Promise<Answer> {
    this.#questions += 1;
    const id = this.#questions;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.#agent.send({ id, act, given });
    const answer = await answered;
    if (answer.failure !== undefined) throw new Error(answer.failure);
    return answer;
  }

  async #ip(...args: string[]): Promise<void> {
    await run("nsenter", [`--net=${this.path}`, "ip", ...args]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#agent);
  }
}

async function untilApart(child: ChildProcess): Promise<void> {
  const own = await readlink("/proc/self/ns/net");
  while ((await readlink(`/proc/${child.pid}/ns/net`)) === own) {
    if (child.exitCode !== null) throw new Error(`no network namespace can be made: exit code ${child.exitCode}`);
    await delay(5);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

// Pushes that remember the answer to each push, and compare the answers with the log. An acknowledged push has landed.
// A refused push has not. A push with neither answer may have landed. No push ever landed in part.
import { expect } from "vitest";
import type { LogEntry__Output as LogEntry } from "../../src/generated/lockstep/v1/LogEntry.ts";
import { type AtRest, expectAtRest } from "./at-rest.ts";
import type { Cluster } from "./cluster.ts";
import type { Device } from "./cluster-device.ts";
import type { Pusher } from "./pusher.ts";

export interface Told {
  readonly commit: string;
  readonly verdict: "acknowledged" | "refused" | "neither";
  readonly stderr: string;
}

export class PushHistory {
  readonly repository: string;
  readonly told: Told[] = [];
  readonly #cluster: Cluster;
  readonly #pusher: Pusher;

  private constructor(cluster: Cluster, pusher: Pusher, repository: string) {
    this.repository = repository;
    this.#cluster = cluster;
    this.#pusher = pusher;
  }

  /** Creates a repository and begins its history. */
  static async begin(cluster: Cluster, pusher: Pusher, minCopies = 1): Promise<PushHistory> {
    return new PushHistory(cluster, pusher, await cluster.createRepository(minCopies));
  }

  /** Lets another pusher push to the repository of a history, at the same time. Its answers are kept there. */
  static join(history: PushHistory, other: Pusher): PushHistory {
    return Object.assign(new PushHistory(history.#cluster, other, history.repository), { told: history.told });
  }

  /** Pushes a new commit to the two refs of a line with --atomic. Pushes of one line must not overlap. */
  async push(device: Device, line: string): Promise<Told> {
    const commit = await this.#pusher.commit();
    const refspecs = refsOf(line).map((ref) => `${commit}:${ref}`);
    const { code, stderr } = await this.#pusher.push(device.url(this.repository), "--atomic", "--force", ...refspecs);
    const refused = /\[(remote )?rejected\]/.test(stderr);
    const told: Told = { commit, verdict: code === 0 ? "acknowledged" : refused ? "refused" : "neither", stderr };
    this.told.push(told);
    return told;
  }

  /** Pushes, and expects the push to be acknowledged. */
  async expectAcknowledged(device: Device, line: string): Promise<void> {
    const { verdict, stderr } = await this.push(device, line);
    expect(verdict, stderr).toBe("acknowledged");
  }

  /** Pushes again and again until the signal aborts and the push under way has ended. */
  async keepPushing(device: Device, line: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await this.push(device, line);
  }

  /** Pushes until one push is acknowledged. Returns the milliseconds since `since`. */
  async untilAcknowledged(device: Device, line: string, since = performance.now()): Promise<number> {
    for (;;) {
      const { verdict, stderr } = await this.push(device, line);
      if (verdict === "acknowledged") return Math.round(performance.now() - since);
      if (performance.now() - since > 60_000) throw new Error(`no push to ${device.name} is acknowledged: ${stderr}`);
    }
  }

  /** Expects every device to be at rest (`expectAtRest`), and the log to agree with the answers to the pushers. */
  async expectTrueAndAtRest(): Promise<AtRest> {
    const found = await expectAtRest(this.#cluster, this.repository);
    this.#expectTrue(found.log);
    return found;
  }

  #expectTrue(log: readonly LogEntry[]): void {
    const landed = new Set<string>();
    for (const { version, updates } of log) {
      const commits = new Set(updates.map(({ newValue }) => newValue));
      expect({ version, refs: updates.length, commits: commits.size }).toEqual({ version, refs: 2, commits: 1 });
      for (const commit of commits) landed.add(commit);
    }
    for (const { commit, verdict, stderr } of this.told) {
      if (verdict === "neither") continue;
      expect({ commit, landed: landed.has(commit), stderr }).toEqual({
        commit,
        landed: verdict === "acknowledged",
        stderr,
      });
    }
  }

  /** Returns the counts of each answer as a line of text. */
  summary(log: readonly LogEntry[]): string {
    const landed = new Set(log.map(({ updates }) => updates[0]?.newValue));
    const count = (verdict: Told["verdict"]) => this.told.filter((each) => each.verdict === verdict).length;
    const landedUntold = this.told.filter(({ commit, verdict }) => verdict === "neither" && landed.has(commit)).length;
    const untold = `${count("neither")} told neither, ${landedUntold} of which landed`;
    return `${count("acknowledged")} pushes acknowledged, ${count("refused")} refused, ${untold}`;
  }
}

function refsOf(line: string): string[] {
  return [`refs/heads/${line}/a`, `refs/heads/${line}/b`];
}

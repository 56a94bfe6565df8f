// The limits of a sidecar. Each limit reports its use here, and the page of metrics reads that.
import type { LimitUse } from "./device-gauges.ts";

/** The limits that a sidecar tells. Their names are values of a label, so they are few and fixed. */
export type LimitName =
  | "grpc_handshakes"
  | "grpc_connections_of_one"
  | "git_handshakes"
  | "git_connections_of_one"
  | "git_big_requests"
  | "ssh_connections_of_one"
  | "packs"
  | "copies_of_one"
  | "shims"
  | "shim_newcomers"
  | "http_connections"
  | "http_gate"
  | "pack_cache_bytes"
  | "head_questions"
  | "database_reads"
  | "database_work"
  | "database_lease"
  | "gate_connections"
  | "gate_requests"
  | "gate_line"
  | "gate_questions";

/** Keeps a reader for each limit. */
export class Limits {
  readonly #readers = new Map<LimitName, { most: number; used: () => number }>();

  /** Says how to read how much of a limit is used. A later call replaces an earlier one. */
  tell(limit: LimitName, most: number, used: () => number): void {
    this.#readers.set(limit, { most, used });
  }

  read(): LimitUse[] {
    return [...this.#readers].map(([limit, { most, used }]) => ({ limit, most, used: used() }));
  }
}

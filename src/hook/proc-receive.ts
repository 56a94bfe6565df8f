// The dialogue of git's proc-receive hook: versions, commands, push options, report (git's githooks documentation).
import { nameFromLatin1, type RefUpdate, toLatin1, valueFromLatin1 } from "../domain.ts";
import { LockstepError } from "../errors.ts";
import { FLUSH, linePacket, type Packet, PacketReader, packet } from "../framing/pkt-line.ts";
import type { PushReport } from "../sync/write/push-report.ts";
import { type CommandLimits, UNLIMITED } from "./push-limits.ts";

/** A push as git hands it to proc-receive. */
export interface PushCommands {
  readonly updates: RefUpdate[];
  readonly atomic: boolean;
  /** How many further commands came after one of the limits was reached. Nothing of them is kept. */
  readonly dropped: number;
}

/** Reads the messages of receive-pack as they come in. `answer` sends bytes to receive-pack. */
export class ProcReceive {
  readonly #answer: (bytes: Buffer) => void;
  readonly #limits: CommandLimits;
  readonly #reader = new PacketReader();
  readonly #updates: RefUpdate[] = [];
  #expects: "version" | "version-flush" | "commands" | "push-options" | "nothing" = "version";
  #withPushOptions = false;
  #atomic = false;
  #bytes = 0;
  #dropped = 0;

  /** Commands beyond `limits` are only counted. */
  constructor(answer: (bytes: Buffer) => void, limits = UNLIMITED) {
    this.#answer = answer;
    this.#limits = limits;
  }

  /** Takes a piece of input. Returns the push once it is complete. Throws INVALID_REQUEST. */
  push(piece: Buffer): PushCommands | undefined {
    for (const each of this.#reader.push(piece)) this.#take(each);
    if (this.#expects !== "nothing") return undefined;
    return { updates: this.#updates, atomic: this.#atomic, dropped: this.#dropped };
  }

  #take(line: Packet): void {
    switch (this.#expects) {
      case "version":
        this.#negotiate(line);
        return;
      case "version-flush":
        this.#answer(
          Buffer.concat([packet(`version=1\0${this.#withPushOptions ? "push-options " : ""}atomic\n`), FLUSH]),
        );
        this.#expects = "commands";
        return;
      case "commands":
        if (line === null) this.#expects = this.#withPushOptions ? "push-options" : "nothing";
        else this.#keep(line);
        return;
      case "push-options":
        // The hooks get the options from receive-pack. Here they are only read past.
        if (line === null) this.#expects = "nothing";
        return;
      case "nothing":
        throw new LockstepError("INVALID_REQUEST", "git sent more than one push to a hook.");
    }
  }

  #keep(line: Buffer): void {
    this.#bytes += line.length;
    if (this.#updates.length >= this.#limits.commands || this.#bytes > this.#limits.bytes) this.#dropped += 1;
    else this.#updates.push(parseCommand(line));
  }

  #negotiate(line: Packet): void {
    const [version, capabilities = ""] = (line?.toString("latin1") ?? "").replace(/\n$/, "").split("\0");
    if (version !== "version=1") {
      throw new LockstepError(
        "INVALID_REQUEST",
        `git speaks ${version || "no version"} of the proc-receive protocol, this is version=1.`,
      );
    }
    this.#expects = "version-flush";
    const words = capabilities.split(" ");
    this.#withPushOptions = words.includes("push-options");
    this.#atomic = words.includes("atomic");
  }
}

/** Reads one command of a push, in the form that git gives to its hooks. Throws INVALID_REQUEST. */
export function parseCommand(line: Buffer): RefUpdate {
  const match = /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) ([^\0\n]+)\n?$/.exec(line.toString("latin1"));
  if (match === null) throw new LockstepError("INVALID_REQUEST", "git sent a push command that cannot be read.");
  const [, oldId, newId, name] = match as unknown as [string, string, string, string];
  const orNull = (id: string) => (/^0+$/.test(id) ? null : valueFromLatin1(id));
  return { name: nameFromLatin1(name), oldValue: orNull(oldId), newValue: orNull(newId) };
}

/** Returns the report that receive-pack passes on to the client. */
export function encodeReport(report: PushReport): Buffer {
  const lines = [...report].map(([name, reason]) => {
    const ref = toLatin1(name);
    return linePacket(reason === null ? `ok ${ref}` : `ng ${ref} ${reason.replace(/[\n\0]/g, " ")}`);
  });
  return Buffer.concat([...lines, FLUSH]);
}

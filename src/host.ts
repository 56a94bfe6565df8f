// What the rest of the program may know of the process it runs in. main.ts makes it; tests make their own.

export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly pid: number;
  /** The Node program, for starting more of this one. */
  readonly execPath: string;
  readonly isRoot: boolean;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Aborts at SIGINT and SIGTERM: finish what is under way, then end. */
  readonly stop: AbortSignal;
  /** Signals a process; throws when it does not exist. */
  kill(pid: number, signal: NodeJS.Signals | 0): void;
}

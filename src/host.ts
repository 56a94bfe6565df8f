// The process as the rest of the program sees it. main.ts makes the `Host`; tests make hosts of their own.

export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly pid: number;
  /** The path of the Node program, for starting further processes of Lockstep. */
  readonly execPath: string;
  readonly isRoot: boolean;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Aborts at SIGINT and SIGTERM. Work under way is finished, then the process ends. */
  readonly stop: AbortSignal;
  /** Sends `signal` to a process; 0 only asks whether it exists. Throws ESRCH when it does not exist. */
  kill(pid: number, signal: NodeJS.Signals | 0): void;
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

// The guard holds standard output open, so that git sees no end there, and waits for a word. If none comes, the shim
// was killed. git has not reaped the shim yet, so it is a zombie, and still a child of receive-pack if that lives. The
// check of the parent protects another process that may have got the pid of an ended receive-pack.
const SCRIPT = `
trap '' HUP INT QUIT TERM
read -r word && exit 0
shim=$1 receive_pack=$2
if read -r status </proc/$shim/stat; then
  set -- \${status##*) }
  parent=$2
else
  parent=$(ps -o ppid= -p $shim)
fi
[ "$parent" -eq $receive_pack ] && kill -9 $receive_pack
`;

/** The second process of proc-receive (docs/hook-protocol.md). Kills receive-pack when the first process is killed. */
export class Guard {
  /** Resolves when the guard has ended, dismissed or not. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.ended = new Promise((resolve) => child.once("exit", () => resolve()));
  }

  /** Starts the guard of the process `shim`, whose parent is `receivePack`. Rejects when there is no `sh`. */
  static async start(shim: number, receivePack: number): Promise<Guard> {
    const child = spawn("sh", ["-c", SCRIPT, "lockstep-guard", `${shim}`, `${receivePack}`], {
      stdio: ["pipe", "inherit", "ignore"],
    });
    const guard = new Guard(child);
    child.stdin?.on("error", () => {});
    await once(child, "spawn");
    return guard;
  }

  /** Ends the guard, once nothing needs it any more. */
  async dismiss(): Promise<void> {
    this.#child.stdin?.end("done\n");
    await this.ended;
  }
}

import { spawnSync } from "node:child_process";
import { fstatSync } from "node:fs";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { LockstepError } from "../errors.ts";
import { Conversation } from "./conversation.ts";
import { Guard } from "./guard.ts";
import { pushKey } from "./push-key.ts";
import type { ShimSettings } from "./settings.ts";
import { settingsStamp } from "./settings-stamp.ts";
import { connectToSidecar, hello, PUSH } from "./sidecar.ts";

// receive-pack passes messages on from a pipe that Node cannot look into; what lies in it would die with receive-pack.
const MESSAGES_MS = 100;

const UNKNOWN =
  "lockstep: the connection to the sidecar broke, so it is not known whether this push has landed; fetch to see, and push again if it has not.\n";

/**
 * The hook: copies between receive-pack and the sidecar. Returns the exit code. Where the outcome is unknown it kills
 * receive-pack, which would report a refusal that may be a lie. Throws while nothing has been asked yet.
 */
export async function procReceive(host: NodeJS.Process, settings: ShimSettings): Promise<number> {
  const receivePack = host.ppid;
  // Started by hand, it would kill the shell.
  if (!fstatSync(0).isFIFO() || !fstatSync(1).isFIFO())
    throw new LockstepError(
      "USAGE",
      "proc-receive is a hook that only git receive-pack can start; push to the repository instead.",
    );
  const socket = await connectToSidecar(host, repositorySettings(settings), PUSH);
  const guard = await Guard.start(host.pid, receivePack);
  const conversation = new Conversation(socket, host, { isHook: true });
  const signal = new Promise<"signal">((resolve) => {
    for (const name of ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"] as const) host.on(name, () => resolve("signal"));
  });
  const told = { settings: settingsStamp(host.cwd(), host.env), push: pushKey(receivePack) };
  conversation.send("H", hello("proc-receive", host.cwd(), host.env, told));
  const input = forwardInput(host.stdin, conversation, socket);

  const ending = await Promise.race([conversation.ending, signal, guard.ended.then(() => "unguarded" as const)]);
  const isKnown = ending !== null && typeof ending === "object";
  if (ending === null && !input.hasEnded) {
    host.stderr.write(UNKNOWN);
    await delay(MESSAGES_MS);
  }
  // While the input goes on, and this is still the parent, that pid is receive-pack's and nobody else's.
  if (!isKnown && !input.hasEnded && host.ppid === receivePack) host.kill(receivePack, "SIGKILL");
  await guard.dismiss();
  return isKnown ? ending.code : 1;
}

/**
 * Where nobody has said it, the configuration of the repository does. Only here: whoever can write that of a repository which
 * receive-pack serves can put hooks of his own there anyway.
 */
function repositorySettings({ socketDir, root = "." }: ShimSettings): ShimSettings {
  if (socketDir !== undefined) return { socketDir, root };
  const query = ["--git-dir", ".", "config", "--get", "lockstep.socketDir"];
  const { status, stdout } = spawnSync("git", query, { stdio: ["ignore", "pipe", "ignore"], encoding: "utf8" });
  return { socketDir: (status === 0 && stdout.split("\n")[0]) || undefined, root };
}

function forwardInput(stdin: NodeJS.ReadStream, conversation: Conversation, socket: Socket): { hasEnded: boolean } {
  const input = { hasEnded: false };
  stdin.on("data", (chunk) => {
    if (conversation.send("I", chunk)) return;
    stdin.pause();
    socket.once("drain", () => stdin.resume());
  });
  stdin.once("end", () => {
    input.hasEnded = true;
    // `X` may be here already, and a write to a sidecar that has closed would discard it: read first.
    setImmediate(() => conversation.endSending());
  });
  return input;
}

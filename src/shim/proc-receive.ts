import { spawnSync } from "node:child_process";
import { fstatSync } from "node:fs";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { LockstepError } from "../errors.ts";
import { here } from "../git/command/build.ts";
import { Conversation } from "./conversation.ts";
import { Guard } from "./guard.ts";
import { pushKey } from "./process.ts";
import type { ShimSettings } from "./settings.ts";
import { settingsStamp } from "./settings-stamp.ts";
import { connectToSidecar, hello, PUSH } from "./sidecar.ts";

// Messages go to receive-pack through a pipe that Node cannot inspect. If receive-pack is killed, unread ones are lost,
// so this is the time to read them.
const MESSAGES_MS = 100;

const UNKNOWN =
  "lockstep: the connection to the sidecar broke, so it is not known whether this push has landed; fetch to see, and push again if it has not.\n";

/**
 * Runs the hook: copies between receive-pack and the sidecar. Returns the exit code. If the outcome is unknown, it
 * kills receive-pack, whose report of a refusal might be false. Throws as long as nothing was sent to the sidecar.
 */
export async function procReceive(host: NodeJS.Process, settings: ShimSettings): Promise<number> {
  const receivePack = host.ppid;
  // Started by hand, it would kill the shell.
  if (!fstatSync(0).isFIFO() || !fstatSync(1).isFIFO())
    throw new LockstepError(
      "USAGE",
      "proc-receive is a hook that only git receive-pack can start; push to the repository instead.",
    );
  const socket = await connectToSidecar(host, repositorySettings(settings, host), PUSH);
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
  // While the input is open and this is still the parent, the pid belongs to receive-pack.
  if (!isKnown && !input.hasEnded && host.ppid === receivePack) host.kill(receivePack, "SIGKILL");
  await guard.dismiss();
  return isKnown ? ending.code : 1;
}

/**
 * Takes missing settings from the repository's configuration. Only the hook may do so: a person who can write the
 * configuration of a repository that receive-pack serves could install hooks there anyway.
 */
function repositorySettings({ socketDir, root = "." }: ShimSettings, host: NodeJS.Process): ShimSettings {
  if (socketDir !== undefined) return { socketDir, root };
  const programs = { path: host.env.PATH ?? "", home: host.env.HOME ?? "" };
  const { args, env } = here(programs, { kind: "local", args: ["config", "--get", "lockstep.socketDir"] }, ".");
  const { status, stdout } = spawnSync("git", args, { env, stdio: ["ignore", "pipe", "ignore"], encoding: "utf8" });
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
    // `X` may have arrived already. A write to a closed connection would discard it, so read first.
    setImmediate(() => conversation.endSending());
  });
  return input;
}

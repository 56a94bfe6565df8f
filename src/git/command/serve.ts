// The commands that answer a client or another device.
import type { Repository } from "./asked.ts";
import { asArguments, type Command, type Programs, type Settings } from "./command.ts";
import { clientEnvironment, localEnvironment, shellEnvironment } from "./environment.ts";
import type { DeviceClient, HttpClient, Serve, ShellClient } from "./operations.ts";
import { shellQuoted } from "./quote.ts";

/** How large an object of a push may be by default, in MiB. */
const OBJECT_MIB = 1_024;

/**
 * Settings of a git that takes objects from clients. git does not hold a blob above core.bigFileThreshold in memory,
 * so the limit of memory would not count for it. Nothing is above this value.
 */
const WHOLE_IN_MEMORY: Settings = { "core.bigFileThreshold": "1048576g" };

/**
 * Settings of upload-pack for devices. It sends ids that no ref holds: sync/objects/fetchable.ts decides which. It
 * takes no names of refs for them, and hides our own refs regardless of the repository's settings. Without keepAlive
 * git sends only the output of its work, so a git that hangs is found.
 */
const FOR_DEVICES: Settings = {
  "uploadpack.allowAnySHA1InWant": "true",
  "transfer.hideRefs": "refs/lockstep",
  "uploadpack.allowRefInWant": "false",
  "uploadpack.keepAlive": "0",
};

/**
 * Returns the command that answers a request about the repository `gitDir`, a path without symbolic links. A shell
 * passes on what git reads and writes; HTTP asks for one exchange.
 */
export function serveCommand(
  programs: Programs,
  { service, advertisement, dialogue, client }: Serve,
  { gitDir }: Repository,
): Command {
  const push = client.kind !== "device" && service === "receive-pack" ? client : undefined;
  const limit = push ? pushLimits(push) : {};
  const limited = push && push.pushObject !== 0 ? WHOLE_IN_MEMORY : {};
  if (client.kind === "shell")
    return {
      args: [...asArguments(limited), service, "--", gitDir],
      env: { ...shellEnvironment(client.variables), ...limit },
    };
  const mode = dialogue ? [] : [advertisement ? "--http-backend-info-refs" : "--stateless-rpc"];
  // The replica may belong to another user than the gate's. The sidecar has granted exactly this path.
  const granted = { "safe.directory": gitDir };
  const settings = {
    ...granted,
    ...limited,
    ...(client.kind === "device" ? FOR_DEVICES : packsFrom(client.packsHook)),
  };
  const env =
    client.kind === "device" ? deviceEnvironment(programs, gitDir, client) : clientEnvironment(programs, client);
  return { args: [...asArguments(settings), service, ...mode, "--", gitDir], env: { ...env, ...limit } };
}

/** git takes this setting only from its command line, its environment, and files of the user and the system. */
function packsFrom(hook: string | undefined): Settings {
  return hook === undefined ? {} : { "uploadpack.packObjectsHook": shellQuoted([hook]) };
}

/**
 * git refuses an object that needs more memory at once than the first one. It does so as soon as it has read the size,
 * since a few bytes may describe an object of any size. Our pre-receive hook refuses a push of more refs than the
 * second one.
 */
function pushLimits({ pushRefs, pushObject = OBJECT_MIB }: HttpClient | ShellClient): Record<string, string> {
  return {
    ...(pushObject > 0 && { GIT_ALLOC_LIMIT: `${pushObject}m` }),
    ...(pushRefs !== undefined && { LOCKSTEP_PUSH_REFS: String(pushRefs) }),
  };
}

/**
 * Returns a program with its first arguments that limits its memory, and that of its children, and becomes the program
 * behind it. It is for places without the native program, which does the same.
 */
export function shLimiter(mebibytes: number): string[] {
  // A lower limit of the machine stays.
  return ["sh", "-c", 'ulimit -d "$0" 2>/dev/null; exec "$@"', String(mebibytes * 1_024)];
}

function deviceEnvironment(programs: Programs, gitDir: string, { protocol }: DeviceClient): Record<string, string> {
  return {
    ...localEnvironment(programs, gitDir, {}),
    GIT_DIR: gitDir,
    ...(protocol === undefined ? {} : { GIT_PROTOCOL: protocol }),
  };
}

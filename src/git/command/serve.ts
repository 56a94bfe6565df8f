// The commands that answer a client or another device.
import type { Repository } from "./asked.ts";
import { asArguments, type Command, type Programs, type Settings } from "./command.ts";
import { clientEnvironment, localEnvironment, shellEnvironment } from "./environment.ts";
import type { DeviceClient, Serve } from "./operations.ts";
import { shellQuoted } from "./quote.ts";

/**
 * Part of the environment of a git that takes objects from clients. Such a git refuses an object that needs more memory
 * than this: a delta of a few bytes may describe an object of any size. An object above core.bigFileThreshold that is
 * no delta needs no such memory.
 */
const OBJECT_LIMIT = { GIT_ALLOC_LIMIT: "1g" } as const;

/**
 * Settings of upload-pack for devices: it sends ids that no ref holds, and hides our own refs regardless of the
 * repository's settings. Without keepAlive git sends only the output of its work, so a git that hangs is found.
 */
const FOR_DEVICES: Settings = {
  "uploadpack.allowAnySHA1InWant": "true",
  "transfer.hideRefs": "refs/lockstep",
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
  const limit = client.kind !== "device" && service === "receive-pack" ? pushLimits(client.pushRefs) : {};
  if (client.kind === "shell")
    return { args: [service, "--", gitDir], env: { ...shellEnvironment(client.variables), ...limit } };
  const mode = dialogue ? [] : [advertisement ? "--http-backend-info-refs" : "--stateless-rpc"];
  // The replica may belong to another user than the gate's. The sidecar has granted exactly this path.
  const granted = { "safe.directory": gitDir };
  const settings = { ...granted, ...(client.kind === "device" ? FOR_DEVICES : packsFrom(client.packsHook)) };
  const env =
    client.kind === "device" ? deviceEnvironment(programs, gitDir, client) : clientEnvironment(programs, client);
  return { args: [...asArguments(settings), service, ...mode, "--", gitDir], env: { ...env, ...limit } };
}

/** git takes this setting only from its command line, its environment, and files of the user and the system. */
function packsFrom(hook: string | undefined): Settings {
  return hook === undefined ? {} : { "uploadpack.packObjectsHook": shellQuoted([hook]) };
}

/** Our pre-receive hook refuses a push of more refs than the second one. */
function pushLimits(refs: number | string | undefined): Record<string, string> {
  return { ...OBJECT_LIMIT, ...(refs !== undefined && { LOCKSTEP_PUSH_REFS: String(refs) }) };
}

function deviceEnvironment(programs: Programs, gitDir: string, { protocol }: DeviceClient): Record<string, string> {
  return { ...localEnvironment(programs, gitDir, {}), ...(protocol === undefined ? {} : { GIT_PROTOCOL: protocol }) };
}

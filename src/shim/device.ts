// What sshd starts for other devices: the program that an administrator's line of authorized_keys forces, and the one
// that gives sshd these lines. The sidecar decides about the request; afterwards its bytes are copied.
import { LockstepError } from "../errors.ts";
import { copy } from "../io/pump.ts";
import { Conversation } from "./conversation.ts";
import type { ShimSettings } from "./settings.ts";
import { connectToSidecar, hello, READ } from "./sidecar.ts";

/** Serves the device that the arguments name. Returns the exit code. Throws USAGE, SIDECAR_UNAVAILABLE. */
export async function serveDevice(
  host: NodeJS.Process,
  settings: ShimSettings,
  [first, device, second, key, ...rest]: readonly string[],
): Promise<number> {
  if (first !== "--device" || second !== "--key" || !device || !key || rest.length > 0)
    throw new LockstepError("USAGE", "usage: lockstep-shell --device NAME --key FINGERPRINT");
  const request = host.env.SSH_ORIGINAL_COMMAND ?? "";
  return await ask(host, settings, hello("device", "", host.env, { device, key, request }));
}

/** Prints the line of authorized_keys for a key, if it is that of a device. Throws USAGE, SIDECAR_UNAVAILABLE. */
export async function authorizedKeys(
  host: NodeJS.Process,
  settings: ShimSettings,
  [socketDir, type, key, ...rest]: readonly string[],
): Promise<number> {
  if (!socketDir || !type || !key || rest.length > 0)
    throw new LockstepError("USAGE", "usage: lockstep-git authorized-keys SOCKET_DIR TYPE KEY");
  return await ask(host, { ...settings, socketDir }, hello("authorized-keys", "", host.env, { type, key }));
}

async function ask(host: NodeJS.Process, settings: ShimSettings, payload: Buffer): Promise<number> {
  const socket = await connectToSidecar(host, settings, READ, "peer.sock");
  const conversation = new Conversation(socket, host, { isHook: false });
  conversation.send("H", payload);
  const ending = await conversation.ending;
  if (ending === null)
    throw new LockstepError(
      "SIDECAR_UNAVAILABLE",
      `the sidecar ended the connection without an answer, ${READ.refused}; ${READ.again}.`,
    );
  if (ending.code > 0) return ending.code;
  host.stdin.on("error", () => {});
  host.stdin.pipe(socket);
  host.stdout.once("error", () => socket.destroy());
  await copy(socket, host.stdout).catch(() => {});
  await new Promise<void>((done) => host.stdout.write("", () => done()));
  return 0;
}

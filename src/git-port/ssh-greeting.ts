// The first frame of a program that sshd has started. It brings a device with its key and its request, or asks for the
// line of authorized_keys for a key.
import { LockstepError } from "../errors.ts";
import type { Frame } from "../framing/frames.ts";
import { deviceName } from "../names.ts";

/** What a device asks for. `nothing`: it gave no command. */
export interface Greeting {
  readonly device: string;
  readonly fingerprint: string;
  /** The address from which it came, as far as is known. */
  readonly from: string;
  readonly request: "peer" | "upload-pack" | "nothing";
  /** Only of upload-pack: the repository as git wrote it. */
  readonly directory: string;
  /** The value of GIT_PROTOCOL. */
  readonly protocol: string | undefined;
}

const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}$/;
const PROTOCOL = /^[!-~]{1,256}$/;
// One argument in git's quotes: '…', with '\'' and '\!' for the two characters that git puts outside.
const GIT_COMMAND = /^git[- ](upload-pack|receive-pack) '((?:[^']|'\\['!]')+)'$/;

/** The question for the line of authorized_keys: type and key. */
export interface KeyQuestion {
  readonly key: string;
}

/** Reads the frame. Throws INVALID_REQUEST, and PERMISSION_DENIED for what a device may not ask for. */
export function parseGreeting({ type, payload }: Frame): Greeting | KeyQuestion {
  const values = new Map<string, string>();
  for (const entry of payload.toString("utf8").split("\0")) {
    const equals = entry.indexOf("=");
    if (equals > 0) values.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  if (type === "H" && values.get("version") === "1" && values.get("op") === "authorized-keys")
    return { key: `${values.get("type") ?? ""} ${values.get("key") ?? ""}` };
  const fingerprint = values.get("key") ?? "";
  if (type !== "H" || values.get("version") !== "1" || values.get("op") !== "device" || !FINGERPRINT.test(fingerprint))
    throw new LockstepError(
      "INVALID_REQUEST",
      "lockstep-shell was called with --device and no fingerprint behind --key; make the line with `lockstep device authorized-keys`.",
    );
  const protocol = values.get("env.GIT_PROTOCOL");
  return {
    device: deviceName(values.get("device") ?? ""),
    fingerprint,
    from: values.get("env.SSH_CONNECTION")?.split(" ")[0] ?? "",
    ...requestOf(values.get("request") ?? ""),
    protocol: protocol !== undefined && PROTOCOL.test(protocol) ? protocol : undefined,
  };
}

function requestOf(request: string): Pick<Greeting, "request" | "directory"> {
  if (request === "") return { request: "nothing", directory: "" };
  if (request === "lockstep-peer") return { request: "peer", directory: "" };
  const [, command, quoted = ""] = GIT_COMMAND.exec(request) ?? [];
  if (command === "upload-pack") return { request: "upload-pack", directory: quoted.replace(/'\\(['!])'/g, "$1") };
  throw new LockstepError(
    "PERMISSION_DENIED",
    command === "receive-pack"
      ? "A device pushes nothing: what lands on a device, the others fetch from it; push as a user."
      : `This account serves git fetch for a device, and refuses: ${request.slice(0, 200)}`,
  );
}

// The combinations of operation, transport and credential that do not exist, each with its reason. The types of the
// builder exclude them too. These sentences are for values that come from settings or from the database.
import { LockstepError } from "../../errors.ts";
import type { Asked } from "./asked.ts";
import type { Credential } from "./credentials.ts";
import { type ForUser, LOCAL, type Local, type Operation, type Serve, USERS } from "./operations.ts";
import type { Transport } from "./transports.ts";

/** Throws INVALID_REQUEST for a combination that does not exist, or for a value that git would take for another. */
export function refuse(asked: Asked): void {
  const { operation, transport, credential, repository } = asked as {
    operation: Operation;
    transport: Transport;
    credential: Credential;
    repository: { gitDir: string; name?: string };
  };
  const why =
    operation.kind === "local" || operation.kind === "serve" || operation.kind === "user"
      ? (whyNotHere(transport, credential) ?? whyNotOperation(operation))
      : (whyNotPair(transport, credential) ?? whyNotAddress(transport) ?? whyNotName(transport, repository.name ?? ""));
  if (why !== undefined) throw new LockstepError("INVALID_REQUEST", `git ${nameOf(operation)}: ${why}.`);
}

function nameOf(operation: Operation): string {
  if (operation.kind === "local" || operation.kind === "user") return operation.args[0];
  return operation.kind === "serve" ? operation.service : operation.kind;
}

function whyNotHere({ transport }: Transport, { credential }: Credential): string | undefined {
  if (transport !== "file") return `it works on a directory of this machine, and not over ${transport}`;
  if (credential !== "none") return `it works on a directory of this machine and shows no credential (${credential})`;
  return undefined;
}

function whyNotOperation(operation: Local | Serve | ForUser): string | undefined {
  if (operation.kind === "local") return whyNotLocal(operation.args);
  if (operation.kind === "user") return isListed(USERS, operation.args[0]) ? undefined : UNLISTED;
  const isPush = operation.service === "receive-pack";
  return isPush && operation.client.kind === "device" ? "a device never pushes" : undefined;
}

const UNLISTED = "this command is not in the table of operations";

function isListed(names: readonly string[], name: string | undefined): boolean {
  return name !== undefined && names.includes(name);
}

/** An argument that begins with "/" is a path, and one that git might take for an option belongs behind `--`. */
function whyNotLocal([name, ...args]: readonly string[]): string | undefined {
  if (!isListed(LOCAL, name)) return UNLISTED;
  const options = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
  return options.some((each) => each.startsWith("/")) ? "a path must stand behind --" : undefined;
}

function whyNotPair(transport: Transport, credential: Credential): string | undefined {
  const to = "to" in transport ? transport.to : "directory";
  const given = credential.credential;
  if (given === "as-device" && ("include" in credential || "identity" in credential))
    return "the device's own key and a user's credential were given together; give one of them";
  if (transport.transport === "file")
    return given === "none" ? undefined : `a directory of this machine needs no credential (${given})`;
  if (to === "device" && transport.transport !== "https" && transport.transport !== "ssh")
    return `devices reach each other over https or ssh, and not over ${transport.transport}`;
  if (to === "device" && given !== "as-device")
    return `between devices each proves who it is with its own key; the credential must be as-device, and not ${given}`;
  if (to === "server" && given === "as-device")
    return "the device's own key is for devices of its cluster, and no other server sees it";
  if (transport.transport === "http" && given === "named")
    return "over http everybody on the way could read the secret";
  if (transport.transport === "ssh" && given === "none") return "ssh needs a key, and none was given";
  return whyNotShape(transport, credential);
}

/** A credential has the form of its transport. */
function whyNotShape(transport: Transport, credential: Credential): string | undefined {
  const forSsh = "identity" in credential || "program" in credential;
  if (credential.credential !== "none" && forSsh !== (transport.transport === "ssh"))
    return `a credential for ${forSsh ? "ssh" : "https"} was given for ${transport.transport}`;
  if (!("files" in credential)) return undefined;
  // An environment can be read by the programs that git starts.
  const odd = Object.entries(credential.files).find(
    ([name, file]) => !name.startsWith("LOCKSTEP_") || !file.startsWith("/"),
  );
  return odd && `${odd[0]} must be a setting of Lockstep that names a file`;
}

function whyNotAddress(transport: Transport): string | undefined {
  if (transport.transport === "file") return undefined;
  if (transport.address.includes("@"))
    return "the address has the name of a user in it; a credential is a file, and no part of an address";
  if (!/^(\[[0-9a-fA-F:.]+\]|[\w][\w.-]*)(:\d{1,5})?$/.test(transport.address))
    return "the address must be HOST or HOST:PORT";
  if (transport.transport === "ssh" && !/^[a-z_][\w.-]*$/i.test(transport.user)) return "the user's name is not plain";
  return undefined;
}

function whyNotName(transport: Transport, name: string): string | undefined {
  if (transport.transport === "file") return name.startsWith("/") ? undefined : "the path must be absolute";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: git and curl would take them for something else.
  return name === "" || /^[/-]|[\x00-\x20\x7f?#%\\]|(^|\/)\.\.(\/|$)/.test(name)
    ? "the name of the repository is not plain"
    : undefined;
}

import { LockstepError } from "../../errors.ts";
import type { TrustKeyRequest__Output as Request } from "../../generated/lockstep/v1/TrustKeyRequest.ts";
import type { TrustKeyResponse as Response } from "../../generated/lockstep/v1/TrustKeyResponse.ts";
import { type Name, type PublicKey, trustKey as trust } from "../../store/registry/registry.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { refusedTrustError } from "../../sync/registry/registry-errors.ts";
import { checkPatterns } from "../../sync/watch/name-patterns.ts";
import { authorAndReason } from "../call/author-and-reason.ts";
import type { CallContext } from "../call/call.ts";
import { fingerprintOf, keyOfCertificate, keyOfSsh, nameOf } from "../call/key-of.ts";
import { identityOf } from "./revoke-key.ts";

export const trustKey =
  (context: Pick<SyncContext, "db">) =>
  async (request: Request, { caller }: CallContext): Promise<Response> => {
    const name = nameOf(request);
    const { author } = authorAndReason({ author: request.author }, caller);
    if (request.access && name.role !== "frontend")
      throw new LockstepError(
        "INVALID_REQUEST",
        `Only a front end can be limited to repositories or to reads, not the ${name.role} ${name.name}.`,
      );
    const access = request.access
      ? { repositories: checkPatterns(request.access.repositories), readOnly: request.access.readOnly }
      : undefined;
    const { outcome, fingerprints } = await trust(context.db, name, { key: keyOf(request, name), access, author });
    if (outcome !== "trusted") throw refusedTrustError(name, outcome, fingerprints);
    return { identity: await identityOf(context, name), fingerprints };
  };

function keyOf({ fingerprint, certificate, sshKey, sshHostKey }: Request, name: Name): PublicKey | undefined {
  const given = [fingerprint, certificate, sshKey, sshHostKey].filter((each) => each !== "");
  if (given.length > 1)
    throw new LockstepError(
      "INVALID_REQUEST",
      "Give one key at a time: a certificate, the fingerprint of a key, an ssh key, or a host key.",
    );
  if (certificate !== "") return keyOfCertificate(certificate, name);
  if (sshKey !== "") return keyOfSsh(sshKey, "ssh", name);
  if (sshHostKey !== "") return keyOfSsh(sshHostKey, "ssh-host", name);
  return fingerprint === "" ? undefined : fingerprintOf(fingerprint);
}

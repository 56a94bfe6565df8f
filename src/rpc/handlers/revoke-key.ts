import type { Identity } from "../../generated/lockstep/v1/Identity.ts";
import type { RevokeKeyRequest__Output as Request } from "../../generated/lockstep/v1/RevokeKeyRequest.ts";
import type { RevokeKeyResponse as Response } from "../../generated/lockstep/v1/RevokeKeyResponse.ts";
import { listIdentities } from "../../store/registry/list-identities.ts";
import { type Name, revokeKey as revoke } from "../../store/registry/registry.ts";
import type { SyncContext } from "../../sync/device/context.ts";
import { unknownKeyError } from "../../sync/registry/registry-errors.ts";
import { authorAndReason } from "../call/author-and-reason.ts";
import type { CallContext } from "../call/call.ts";
import { fingerprintOf, nameOf } from "../call/key-of.ts";
import { encodeIdentities } from "../encode/encode-identity.ts";

export const revokeKey =
  (context: Pick<SyncContext, "db">) =>
  async (request: Request, { caller }: CallContext): Promise<Response> => {
    const name = nameOf(request);
    const { author, reason } = authorAndReason(request, caller);
    const fingerprint = request.fingerprint === "" ? undefined : fingerprintOf(request.fingerprint).fingerprint;
    const { outcome, fingerprints } = await revoke(context.db, name, { fingerprint, author, reason });
    if (outcome === "missing") throw unknownKeyError(name, fingerprint);
    return { identity: await identityOf(context, name), fingerprints };
  };

/** Returns a name of the registry as the answers have it. */
export async function identityOf(context: Pick<SyncContext, "db">, name: Name): Promise<Identity | undefined> {
  return encodeIdentities(await listIdentities(context.db, name))[0];
}

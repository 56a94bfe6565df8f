// Carries out RPCs in the process of the command line, with the database URL of the owner of the schema. Where each
// device has a login of its own (docs/security.md), no sidecar may change the registry or another device. These RPCs
// need nothing but the database.
import type { MethodDefinition } from "@grpc/grpc-js";
import { firstError, LockstepError } from "../errors.ts";
import { loadServices } from "../protocol/proto.ts";
import type { Database } from "../store/database/database.ts";
import { insertAudit } from "../store/registry/audit.ts";
import { actOf } from "./call/act.ts";
import type { CallContext } from "./call/call.ts";
import { ruleOf } from "./call/roles.ts";
import { drainDevice } from "./handlers/drain-device.ts";
import { getDevice } from "./handlers/get-device.ts";
import { getRetention } from "./handlers/get-retention.ts";
import { listDevices } from "./handlers/list-devices.ts";
import { listIdentities } from "./handlers/list-identities.ts";
import { makeEnrollToken } from "./handlers/make-enroll-token.ts";
import { removeDevice } from "./handlers/remove-device.ts";
import { revokeKey } from "./handlers/revoke-key.ts";
import { setDevice } from "./handlers/set-device.ts";
import { setRetention } from "./handlers/set-retention.ts";
import { trustKey } from "./handlers/trust-key.ts";
import { undrainDevice } from "./handlers/undrain-device.ts";

const HANDLERS = {
  ListDevices: listDevices,
  GetDevice: getDevice,
  DrainDevice: drainDevice,
  UndrainDevice: undrainDevice,
  RemoveDevice: removeDevice,
  SetDevice: setDevice,
  ListIdentities: listIdentities,
  TrustKey: trustKey,
  RevokeKey: revokeKey,
  MakeEnrollToken: makeEnrollToken,
  GetRetention: getRetention,
  SetRetention: setRetention,
} as const;

type MakeHandler = (context: { db: Database }) => (request: never, call: CallContext) => Promise<object>;

/** A caller with the owner's password is an operator, as on the socket of a sidecar. */
const CALLER = { role: "operator", name: "owner", local: true } as const;

/** Carries out the RPC `name` and returns its response as a client gets it. Throws its errors. */
export async function callAsOwner(db: Database, name: string, request: object, signal: AbortSignal): Promise<object> {
  const handler = (HANDLERS as Readonly<Record<string, MakeHandler>>)[name];
  const method = loadServices()["lockstep.v1.ClusterService"]?.service[name] as MethodDefinition<object, object>;
  if (handler === undefined) throw new Error(`${name} needs a sidecar`);
  const received = method.requestDeserialize(method.requestSerialize(request));
  const record = async (result: string) => await insertAudit(db, [actOf(method.path, CALLER, received, result)]);
  const rule = ruleOf(method.path);
  try {
    const response = await handler({ db })(received as never, {
      caller: CALLER,
      allowed: [],
      from: () => null,
      signal,
    });
    if (rule?.does === "operates") await record("done");
    return method.responseDeserialize(method.responseSerialize(response));
  } catch (error) {
    const first = firstError(error);
    if (rule?.does !== "reads" && first instanceof LockstepError) await record(first.code).catch(() => {});
    throw error;
  }
}

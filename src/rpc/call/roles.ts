// Lists the roles that may call each RPC. A caller's role comes from its certificate. A caller on the unix socket is an
// operator: the permissions of the file keep other users out.
import type { ServiceClientConstructor } from "@grpc/grpc-js";
import type { Role } from "../../tls/identity.ts";
import type { RpcPath } from "./rpc-names.ts";

const READERS: readonly Role[] = ["device", "frontend", "operator"];
const WRITERS: readonly Role[] = ["frontend", "operator"];
const WATCHERS: readonly Role[] = ["frontend", "operator"];
const OPERATORS: readonly Role[] = ["operator"];

/**
 * The roles of every RPC by its path. If an RPC is missing, this does not compile. Health and reflection are open to
 * any valid certificate, because they tell no secret.
 */
const ALLOWED: Readonly<Record<RpcPath, readonly Role[]>> = {
  "/lockstep.v1.SyncService/GetVersion": READERS,
  "/lockstep.v1.SyncService/FetchFrom": READERS,
  "/lockstep.v1.SyncService/BeforeRead": READERS,
  "/lockstep.v1.SyncService/BeginWrite": WRITERS,
  "/lockstep.v1.SyncService/RenewWrite": WRITERS,
  "/lockstep.v1.SyncService/BumpVersion": WRITERS,
  "/lockstep.v1.SyncService/AbortWrite": WRITERS,
  "/lockstep.v1.SyncService/GetWrite": READERS,
  "/lockstep.v1.ClusterService/CreateRepository": OPERATORS,
  "/lockstep.v1.ClusterService/SetRepository": OPERATORS,
  "/lockstep.v1.ClusterService/ListRepositories": READERS,
  "/lockstep.v1.ClusterService/GetRepository": READERS,
  "/lockstep.v1.ClusterService/ListLog": READERS,
  "/lockstep.v1.ClusterService/GetStatus": READERS,
  "/lockstep.v1.ClusterService/StopWrites": OPERATORS,
  "/lockstep.v1.ClusterService/AllowWrites": OPERATORS,
  "/lockstep.v1.ClusterService/VerifyReplica": OPERATORS,
  "/lockstep.v1.ClusterService/Thaw": OPERATORS,
  "/lockstep.v1.ClusterService/EnqueueCommand": OPERATORS,
  "/lockstep.v1.ClusterService/GetCommand": READERS,
  "/lockstep.v1.ClusterService/ListCommands": READERS,
  "/lockstep.v1.ClusterService/WatchCommands": READERS,
  "/lockstep.v1.ClusterService/UndoVersion": OPERATORS,
  "/lockstep.v1.ClusterService/ListDevices": READERS,
  "/lockstep.v1.ClusterService/GetDevice": READERS,
  "/lockstep.v1.ClusterService/DrainDevice": OPERATORS,
  "/lockstep.v1.ClusterService/UndrainDevice": OPERATORS,
  "/lockstep.v1.ClusterService/RemoveDevice": OPERATORS,
  "/lockstep.v1.ClusterService/SetDevice": OPERATORS,
  "/lockstep.v1.ClusterService/ListThawable": OPERATORS,
  "/lockstep.v1.ClusterService/Watch": WATCHERS,
  "/lockstep.v1.ClusterService/AddHook": OPERATORS,
  "/lockstep.v1.ClusterService/ListHooks": OPERATORS,
  "/lockstep.v1.ClusterService/RemoveHook": OPERATORS,
  "/lockstep.v1.ClusterService/AdoptRepositories": OPERATORS,
  "/lockstep.v1.ClusterService/GetRetention": READERS,
  "/lockstep.v1.ClusterService/SetRetention": OPERATORS,
  "/lockstep.v1.ClusterService/ReportDamage": WRITERS,
  "/lockstep.v1.ClusterService/RenameRepository": OPERATORS,
  "/lockstep.v1.ClusterService/TrustKey": OPERATORS,
  "/lockstep.v1.ClusterService/MakeEnrollToken": OPERATORS,
  "/lockstep.v1.ClusterService/RevokeKey": OPERATORS,
  "/lockstep.v1.ClusterService/ListIdentities": OPERATORS,
  "/lockstep.v1.ClusterService/ListAudit": OPERATORS,
  "/lockstep.v1.ClusterService/VerifyAudit": OPERATORS,
  "/lockstep.v1.ClusterService/RemoveRepository": OPERATORS,
  "/lockstep.v1.ClusterService/RestoreRepository": OPERATORS,
  "/lockstep.v1.ClusterService/ListRemovedRepositories": OPERATORS,
};

/** Returns true if `role` may call the RPC at `path`, and false for a path that the table lacks. */
export function mayCall(role: Role, path: string): boolean {
  return Object.hasOwn(ALLOWED, path) && ALLOWED[path as RpcPath].includes(role);
}

/** Throws if the table lacks an RPC of the loaded services, or has an RPC that they lack. */
export function checkRoles(
  services: Readonly<Record<string, Pick<ServiceClientConstructor, "service">>>,
  table: Readonly<Record<string, readonly Role[]>> = ALLOWED,
): void {
  const paths = Object.values(services).flatMap(({ service }) => Object.values(service).map(({ path }) => path));
  const unclassified = paths.filter((path) => !(path in table));
  const unknown = Object.keys(table).filter((path) => !paths.includes(path));
  if (unclassified.length + unknown.length === 0) return;
  throw new Error(
    `The role table is wrong: missing ${unclassified.join(", ") || "none"}; unknown ${unknown.join(", ") || "none"}.`,
  );
}

// Says of each RPC who may call it, whether it reads, writes or operates, and of which repositories it tells. The role
// of a caller comes from its certificate. A caller on the unix socket is an operator: the permissions of the file keep
// other users out.
import type { ServiceClientConstructor } from "@grpc/grpc-js";
import type { Role } from "../../tls/identity.ts";
import type { RpcPath } from "./rpc-names.ts";

const ALL: readonly Role[] = ["device", "frontend", "operator"];
const CLIENTS: readonly Role[] = ["frontend", "operator"];
const OPERATORS: readonly Role[] = ["operator"];

/**
 * The repositories that an RPC tells about, for a caller that may use only some.
 * - one: the one in the field `repository` of the request.
 * - listed: those that match the field `repositories`, which has names and globs.
 * - allowed: those that the caller may use; the handler leaves out the others.
 * - none: none.
 * - cluster: all. A caller that may use only some may not call it.
 */
export type Scope = "one" | "listed" | "allowed" | "none" | "cluster";

export interface Rule {
  readonly roles: readonly Role[];
  /** Operators' acts are in the audit. `own row`: the statement that does it writes the row when it succeeds. */
  readonly does: "reads" | "writes" | "operates" | "operates, own row";
  readonly scope: Scope;
}

const rule = (roles: readonly Role[], does: Rule["does"], scope: Scope): Rule => ({ roles, does, scope });
const reads = (roles: readonly Role[], scope: Scope) => rule(roles, "reads", scope);
const operates = rule(OPERATORS, "operates", "cluster");
const notes = rule(OPERATORS, "operates, own row", "cluster");

/**
 * The rule of every RPC by its path. If an RPC is missing, this does not compile, and no sidecar starts. Health and
 * reflection are open to any valid certificate, because they tell no secret.
 */
const RULES: Readonly<Record<RpcPath, Rule>> = {
  "/lockstep.v1.SyncService/GetVersion": reads(ALL, "one"),
  "/lockstep.v1.SyncService/FetchFrom": reads(ALL, "one"),
  "/lockstep.v1.SyncService/BeforeRead": reads(ALL, "one"),
  "/lockstep.v1.SyncService/BeginWrite": rule(CLIENTS, "writes", "one"),
  "/lockstep.v1.SyncService/RenewWrite": rule(CLIENTS, "writes", "one"),
  "/lockstep.v1.SyncService/BumpVersion": rule(CLIENTS, "writes", "one"),
  "/lockstep.v1.SyncService/AbortWrite": rule(CLIENTS, "writes", "one"),
  "/lockstep.v1.SyncService/GetWrite": reads(ALL, "one"),
  "/lockstep.v1.ClusterService/CreateRepository": operates,
  "/lockstep.v1.ClusterService/SetRepository": operates,
  "/lockstep.v1.ClusterService/ListRepositories": reads(ALL, "allowed"),
  "/lockstep.v1.ClusterService/GetRepository": reads(ALL, "one"),
  "/lockstep.v1.ClusterService/ListLog": reads(ALL, "one"),
  "/lockstep.v1.ClusterService/GetStatus": reads(ALL, "cluster"),
  "/lockstep.v1.ClusterService/StopWrites": notes,
  "/lockstep.v1.ClusterService/AllowWrites": notes,
  "/lockstep.v1.ClusterService/VerifyReplica": operates,
  "/lockstep.v1.ClusterService/Thaw": notes,
  "/lockstep.v1.ClusterService/EnqueueCommand": notes,
  "/lockstep.v1.ClusterService/GetCommand": reads(ALL, "cluster"),
  "/lockstep.v1.ClusterService/ListCommands": reads(ALL, "cluster"),
  "/lockstep.v1.ClusterService/WatchCommands": reads(ALL, "cluster"),
  "/lockstep.v1.ClusterService/UndoVersion": notes,
  "/lockstep.v1.ClusterService/ListDevices": reads(ALL, "none"),
  "/lockstep.v1.ClusterService/GetDevice": reads(ALL, "cluster"),
  "/lockstep.v1.ClusterService/DrainDevice": notes,
  "/lockstep.v1.ClusterService/UndrainDevice": notes,
  "/lockstep.v1.ClusterService/RemoveDevice": notes,
  "/lockstep.v1.ClusterService/SetDevice": notes,
  "/lockstep.v1.ClusterService/ListThawable": reads(OPERATORS, "cluster"),
  "/lockstep.v1.ClusterService/Watch": reads(CLIENTS, "listed"),
  "/lockstep.v1.ClusterService/AddHook": notes,
  "/lockstep.v1.ClusterService/ListHooks": reads(OPERATORS, "cluster"),
  "/lockstep.v1.ClusterService/RemoveHook": notes,
  "/lockstep.v1.ClusterService/AdoptRepositories": notes,
  "/lockstep.v1.ClusterService/GetRetention": reads(ALL, "none"),
  "/lockstep.v1.ClusterService/SetRetention": notes,
  "/lockstep.v1.ClusterService/ReportDamage": reads(CLIENTS, "one"),
  "/lockstep.v1.ClusterService/ReportRefusals": reads(OPERATORS, "cluster"),
  "/lockstep.v1.ClusterService/ReportReads": reads(OPERATORS, "cluster"),
  "/lockstep.v1.ClusterService/ListPushes": reads(OPERATORS, "cluster"),
  "/lockstep.v1.ClusterService/ListPulls": reads(OPERATORS, "cluster"),
  "/lockstep.v1.ClusterService/ListSyncs": reads(OPERATORS, "cluster"),
  "/lockstep.v1.ClusterService/RenameRepository": notes,
  "/lockstep.v1.ClusterService/TrustKey": notes,
  "/lockstep.v1.ClusterService/MakeEnrollToken": notes,
  "/lockstep.v1.ClusterService/RevokeKey": notes,
  "/lockstep.v1.ClusterService/ListIdentities": reads(OPERATORS, "cluster"),
  "/lockstep.v1.ClusterService/ListAuthorizedKeys": reads(OPERATORS, "cluster"),
  "/lockstep.v1.ClusterService/FindSshWay": reads(OPERATORS, "cluster"),
  "/lockstep.v1.ClusterService/ListAudit": reads(OPERATORS, "cluster"),
  "/lockstep.v1.ClusterService/VerifyAudit": reads(OPERATORS, "cluster"),
  "/lockstep.v1.ClusterService/RemoveRepository": notes,
  "/lockstep.v1.ClusterService/RestoreRepository": notes,
  "/lockstep.v1.ClusterService/ListRemovedRepositories": reads(OPERATORS, "cluster"),
};

/** Returns the rule of the RPC at `path`, and undefined for a path that the table lacks: nobody may call that. */
export function ruleOf(path: string): Rule | undefined {
  return Object.hasOwn(RULES, path) ? RULES[path as RpcPath] : undefined;
}

/** Returns the rule of the RPC at `path` if `role` may call it, and undefined if it may not. */
export function ruleFor(role: Role, path: string): Rule | undefined {
  const rule = ruleOf(path);
  return rule?.roles.includes(role) ? rule : undefined;
}

/** Throws if the table lacks an RPC of the loaded services, or has an RPC that they lack. */
export function checkRoles(
  services: Readonly<Record<string, Pick<ServiceClientConstructor, "service">>>,
  table: Readonly<Record<string, unknown>> = RULES,
): void {
  const paths = Object.values(services).flatMap(({ service }) => Object.values(service).map(({ path }) => path));
  const unclassified = paths.filter((path) => !(path in table));
  const unknown = Object.keys(table).filter((path) => !paths.includes(path));
  if (unclassified.length + unknown.length === 0) return;
  throw new Error(
    `The role table is wrong: missing ${unclassified.join(", ") || "none"}; unknown ${unknown.join(", ") || "none"}.`,
  );
}

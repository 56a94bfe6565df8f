// The RPCs of the protocol as types, so that an RPC without a handler or without a role does not compile.
import type { ClusterServiceHandlers } from "../../generated/lockstep/v1/ClusterService.ts";
import type { SyncServiceHandlers } from "../../generated/lockstep/v1/SyncService.ts";

/** The names of the RPCs, without the index signature of the generated types, which accepts any name. */
type RpcName<Service> = keyof { [Name in keyof Service as string extends Name ? never : Name]: true } & keyof Service;

type Handlers<Service> = { [Name in RpcName<Service>]: Service[Name] };

export type SyncHandlers = Handlers<SyncServiceHandlers>;
export type ClusterHandlers = Handlers<ClusterServiceHandlers>;

/** The path of an RPC in gRPC: /PACKAGE.SERVICE/RPC. */
export type RpcPath =
  | `/lockstep.v1.SyncService/${keyof SyncHandlers & string}`
  | `/lockstep.v1.ClusterService/${keyof ClusterHandlers & string}`;

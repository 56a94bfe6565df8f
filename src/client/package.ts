// What `import { … } from "git-lockstep"` gives: the client, its errors, and the types of the messages
// (docs/client.md).
/// <reference types="node" preserve="true" />
// biome-ignore lint/performance/noBarrelFile: a package has one entry.
export { type ErrorCode, LockstepError } from "../errors.ts";
export type * from "../generated/messages.ts";
export type { CallOptions } from "../generated/methods.ts";
export { Client } from "./client.ts";
export type { Endpoint } from "./endpoint.ts";
export type { WatchEvent } from "./watch.ts";
export type { Landed, WriteSession } from "./with-write.ts";

// Assigns a handler to each RPC. If an RPC of the protocol has no handler here, this file does not compile.
import type { SyncContext } from "../sync/device/context.ts";
import { type CallOptions, streaming, unary } from "./call/call.ts";
import { paced } from "./call/paced.ts";
import type { ClusterHandlers, SyncHandlers } from "./call/rpc-names.ts";
import { abortWrite } from "./handlers/abort-write.ts";
import { addHook } from "./handlers/add-hook.ts";
import { adoptRepositories } from "./handlers/adopt-repositories.ts";
import { allowWrites } from "./handlers/allow-writes.ts";
import { beforeRead } from "./handlers/before-read.ts";
import { beginWrite } from "./handlers/begin-write.ts";
import { bumpVersion } from "./handlers/bump-version.ts";
import { createRepository } from "./handlers/create-repository.ts";
import { drainDevice } from "./handlers/drain-device.ts";
import { enqueueCommand } from "./handlers/enqueue-command.ts";
import { fetchFrom } from "./handlers/fetch-from.ts";
import { findSshWay } from "./handlers/find-ssh-way.ts";
import { getCommand } from "./handlers/get-command.ts";
import { getDevice } from "./handlers/get-device.ts";
import { getRepository } from "./handlers/get-repository.ts";
import { getRetention } from "./handlers/get-retention.ts";
import { getStatus } from "./handlers/get-status.ts";
import { getVersion } from "./handlers/get-version.ts";
import { getWrite } from "./handlers/get-write.ts";
import { listAudit } from "./handlers/list-audit.ts";
import { listAuthorizedKeys } from "./handlers/list-authorized-keys.ts";
import { listCommands } from "./handlers/list-commands.ts";
import { listDevices } from "./handlers/list-devices.ts";
import { listHooks } from "./handlers/list-hooks.ts";
import { listIdentities } from "./handlers/list-identities.ts";
import { listLog } from "./handlers/list-log.ts";
import { listPulls } from "./handlers/list-pulls.ts";
import { listPushes } from "./handlers/list-pushes.ts";
import { listRemovedRepositories } from "./handlers/list-removed-repositories.ts";
import { listRepositories } from "./handlers/list-repositories.ts";
import { listSyncs } from "./handlers/list-syncs.ts";
import { listThawable } from "./handlers/list-thawable.ts";
import { makeEnrollToken } from "./handlers/make-enroll-token.ts";
import { removeDevice } from "./handlers/remove-device.ts";
import { removeHook } from "./handlers/remove-hook.ts";
import { removeRepository } from "./handlers/remove-repository.ts";
import { renameRepository } from "./handlers/rename-repository.ts";
import { renewWrite } from "./handlers/renew-write.ts";
import { reportDamage } from "./handlers/report-damage.ts";
import { reportReads } from "./handlers/report-reads.ts";
import { reportRefusals } from "./handlers/report-refusals.ts";
import { restoreRepository } from "./handlers/restore-repository.ts";
import { revokeKey } from "./handlers/revoke-key.ts";
import { setDevice } from "./handlers/set-device.ts";
import { setRepository } from "./handlers/set-repository.ts";
import { setRetention } from "./handlers/set-retention.ts";
import { stopWrites } from "./handlers/stop-writes.ts";
import { thaw } from "./handlers/thaw.ts";
import { trustKey } from "./handlers/trust-key.ts";
import { undoVersion } from "./handlers/undo-version.ts";
import { undrainDevice } from "./handlers/undrain-device.ts";
import { verifyAudit } from "./handlers/verify-audit.ts";
import { verifyReplica } from "./handlers/verify-replica.ts";
import { watch } from "./handlers/watch.ts";
import { watchCommands } from "./handlers/watch-commands.ts";

/** Makes the handlers of lockstep.v1.SyncService. */
export function syncHandlers(context: SyncContext, options: CallOptions): SyncHandlers {
  return {
    GetVersion: unary(options, getVersion(context)),
    FetchFrom: streaming(options, fetchFrom(context)),
    BeforeRead: unary(options, beforeRead(context)),
    BeginWrite: unary(options, beginWrite(context)),
    RenewWrite: unary(options, renewWrite(context)),
    BumpVersion: unary(options, bumpVersion(context)),
    AbortWrite: unary(options, abortWrite(context)),
    GetWrite: unary(options, getWrite(context)),
  };
}

/** Makes the handlers of lockstep.v1.ClusterService. */
export function clusterHandlers(context: SyncContext, options: CallOptions): ClusterHandlers {
  return {
    CreateRepository: unary(options, createRepository(context)),
    SetRepository: unary(options, setRepository(context)),
    ListRepositories: unary(options, listRepositories(context)),
    GetRepository: unary(options, getRepository(context)),
    ListLog: unary(options, listLog(context)),
    GetStatus: unary(options, getStatus(context)),
    StopWrites: streaming(options, stopWrites(context)),
    AllowWrites: unary(options, allowWrites(context)),
    VerifyReplica: unary(options, verifyReplica(context)),
    Thaw: unary(options, thaw(context)),
    EnqueueCommand: unary(options, enqueueCommand(context)),
    GetCommand: unary(options, getCommand(context)),
    ListCommands: unary(options, listCommands(context)),
    WatchCommands: streaming(options, watchCommands(context)),
    UndoVersion: unary(options, undoVersion(context)),
    ListDevices: unary(options, listDevices(context)),
    GetDevice: unary(options, getDevice(context)),
    DrainDevice: unary(options, drainDevice(context)),
    UndrainDevice: unary(options, undrainDevice(context)),
    RemoveDevice: unary(options, removeDevice(context)),
    SetDevice: unary(options, setDevice(context)),
    ListThawable: unary(options, listThawable(context)),
    Watch: paced(options, watch(context)),
    AddHook: unary(options, addHook(context)),
    ListHooks: unary(options, listHooks(context)),
    RemoveHook: unary(options, removeHook(context)),
    AdoptRepositories: streaming(options, adoptRepositories(context)),
    GetRetention: unary(options, getRetention(context)),
    SetRetention: unary(options, setRetention(context)),
    ReportDamage: unary(options, reportDamage(context)),
    ReportRefusals: unary(options, reportRefusals(options)),
    ReportReads: unary(options, reportReads(context)),
    ListPushes: unary(options, listPushes(context)),
    ListPulls: unary(options, listPulls(context)),
    ListSyncs: unary(options, listSyncs(context)),
    RenameRepository: unary(options, renameRepository(context)),
    TrustKey: unary(options, trustKey(context)),
    MakeEnrollToken: unary(options, makeEnrollToken(context)),
    RevokeKey: unary(options, revokeKey(context)),
    ListIdentities: unary(options, listIdentities(context)),
    ListAuthorizedKeys: unary(options, listAuthorizedKeys(context)),
    FindSshWay: unary(options, findSshWay(context)),
    ListAudit: unary(options, listAudit(context)),
    VerifyAudit: unary(options, verifyAudit(context)),
    RemoveRepository: unary(options, removeRepository(context)),
    RestoreRepository: unary(options, restoreRepository(context)),
    ListRemovedRepositories: unary(options, listRemovedRepositories(context)),
  };
}

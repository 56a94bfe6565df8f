// Written by `npm run generate` from proto/lockstep/v1.
import type { AbortWriteRequest } from './lockstep/v1/AbortWriteRequest.ts';
import type { AbortWriteResponse__Output } from './lockstep/v1/AbortWriteResponse.ts';
import type { AddHookRequest } from './lockstep/v1/AddHookRequest.ts';
import type { AddHookResponse__Output } from './lockstep/v1/AddHookResponse.ts';
import type { AdoptRepositoriesRequest } from './lockstep/v1/AdoptRepositoriesRequest.ts';
import type { AdoptRepositoriesResponse__Output } from './lockstep/v1/AdoptRepositoriesResponse.ts';
import type { AllowWritesRequest } from './lockstep/v1/AllowWritesRequest.ts';
import type { AllowWritesResponse__Output } from './lockstep/v1/AllowWritesResponse.ts';
import type { BeforeReadRequest } from './lockstep/v1/BeforeReadRequest.ts';
import type { BeforeReadResponse__Output } from './lockstep/v1/BeforeReadResponse.ts';
import type { BeginWriteRequest } from './lockstep/v1/BeginWriteRequest.ts';
import type { BeginWriteResponse__Output } from './lockstep/v1/BeginWriteResponse.ts';
import type { BumpVersionRequest } from './lockstep/v1/BumpVersionRequest.ts';
import type { BumpVersionResponse__Output } from './lockstep/v1/BumpVersionResponse.ts';
import type { CreateRepositoryRequest } from './lockstep/v1/CreateRepositoryRequest.ts';
import type { CreateRepositoryResponse__Output } from './lockstep/v1/CreateRepositoryResponse.ts';
import type { DrainDeviceRequest } from './lockstep/v1/DrainDeviceRequest.ts';
import type { DrainDeviceResponse__Output } from './lockstep/v1/DrainDeviceResponse.ts';
import type { EnqueueCommandRequest } from './lockstep/v1/EnqueueCommandRequest.ts';
import type { EnqueueCommandResponse__Output } from './lockstep/v1/EnqueueCommandResponse.ts';
import type { FetchFromRequest } from './lockstep/v1/FetchFromRequest.ts';
import type { FetchFromResponse__Output } from './lockstep/v1/FetchFromResponse.ts';
import type { FindSshWayRequest } from './lockstep/v1/FindSshWayRequest.ts';
import type { FindSshWayResponse__Output } from './lockstep/v1/FindSshWayResponse.ts';
import type { GetCommandRequest } from './lockstep/v1/GetCommandRequest.ts';
import type { GetCommandResponse__Output } from './lockstep/v1/GetCommandResponse.ts';
import type { GetDeviceRequest } from './lockstep/v1/GetDeviceRequest.ts';
import type { GetDeviceResponse__Output } from './lockstep/v1/GetDeviceResponse.ts';
import type { GetRepositoryRequest } from './lockstep/v1/GetRepositoryRequest.ts';
import type { GetRepositoryResponse__Output } from './lockstep/v1/GetRepositoryResponse.ts';
import type { GetRetentionRequest } from './lockstep/v1/GetRetentionRequest.ts';
import type { GetRetentionResponse__Output } from './lockstep/v1/GetRetentionResponse.ts';
import type { GetStatusRequest } from './lockstep/v1/GetStatusRequest.ts';
import type { GetStatusResponse__Output } from './lockstep/v1/GetStatusResponse.ts';
import type { GetVersionRequest } from './lockstep/v1/GetVersionRequest.ts';
import type { GetVersionResponse__Output } from './lockstep/v1/GetVersionResponse.ts';
import type { GetWriteRequest } from './lockstep/v1/GetWriteRequest.ts';
import type { GetWriteResponse__Output } from './lockstep/v1/GetWriteResponse.ts';
import type { ListAuditRequest } from './lockstep/v1/ListAuditRequest.ts';
import type { ListAuditResponse__Output } from './lockstep/v1/ListAuditResponse.ts';
import type { ListAuthorizedKeysRequest } from './lockstep/v1/ListAuthorizedKeysRequest.ts';
import type { ListAuthorizedKeysResponse__Output } from './lockstep/v1/ListAuthorizedKeysResponse.ts';
import type { ListCommandsRequest } from './lockstep/v1/ListCommandsRequest.ts';
import type { ListCommandsResponse__Output } from './lockstep/v1/ListCommandsResponse.ts';
import type { ListDevicesRequest } from './lockstep/v1/ListDevicesRequest.ts';
import type { ListDevicesResponse__Output } from './lockstep/v1/ListDevicesResponse.ts';
import type { ListHooksRequest } from './lockstep/v1/ListHooksRequest.ts';
import type { ListHooksResponse__Output } from './lockstep/v1/ListHooksResponse.ts';
import type { ListIdentitiesRequest } from './lockstep/v1/ListIdentitiesRequest.ts';
import type { ListIdentitiesResponse__Output } from './lockstep/v1/ListIdentitiesResponse.ts';
import type { ListLogRequest } from './lockstep/v1/ListLogRequest.ts';
import type { ListLogResponse__Output } from './lockstep/v1/ListLogResponse.ts';
import type { ListPullsRequest } from './lockstep/v1/ListPullsRequest.ts';
import type { ListPullsResponse__Output } from './lockstep/v1/ListPullsResponse.ts';
import type { ListPushesRequest } from './lockstep/v1/ListPushesRequest.ts';
import type { ListPushesResponse__Output } from './lockstep/v1/ListPushesResponse.ts';
import type { ListRemovedRepositoriesRequest } from './lockstep/v1/ListRemovedRepositoriesRequest.ts';
import type { ListRemovedRepositoriesResponse__Output } from './lockstep/v1/ListRemovedRepositoriesResponse.ts';
import type { ListRepositoriesRequest } from './lockstep/v1/ListRepositoriesRequest.ts';
import type { ListRepositoriesResponse__Output } from './lockstep/v1/ListRepositoriesResponse.ts';
import type { ListSyncsRequest } from './lockstep/v1/ListSyncsRequest.ts';
import type { ListSyncsResponse__Output } from './lockstep/v1/ListSyncsResponse.ts';
import type { ListThawableRequest } from './lockstep/v1/ListThawableRequest.ts';
import type { ListThawableResponse__Output } from './lockstep/v1/ListThawableResponse.ts';
import type { MakeEnrollTokenRequest } from './lockstep/v1/MakeEnrollTokenRequest.ts';
import type { MakeEnrollTokenResponse__Output } from './lockstep/v1/MakeEnrollTokenResponse.ts';
import type { RemoveDeviceRequest } from './lockstep/v1/RemoveDeviceRequest.ts';
import type { RemoveDeviceResponse__Output } from './lockstep/v1/RemoveDeviceResponse.ts';
import type { RemoveHookRequest } from './lockstep/v1/RemoveHookRequest.ts';
import type { RemoveHookResponse__Output } from './lockstep/v1/RemoveHookResponse.ts';
import type { RemoveRepositoryRequest } from './lockstep/v1/RemoveRepositoryRequest.ts';
import type { RemoveRepositoryResponse__Output } from './lockstep/v1/RemoveRepositoryResponse.ts';
import type { RenameRepositoryRequest } from './lockstep/v1/RenameRepositoryRequest.ts';
import type { RenameRepositoryResponse__Output } from './lockstep/v1/RenameRepositoryResponse.ts';
import type { RenewWriteRequest } from './lockstep/v1/RenewWriteRequest.ts';
import type { RenewWriteResponse__Output } from './lockstep/v1/RenewWriteResponse.ts';
import type { ReportDamageRequest } from './lockstep/v1/ReportDamageRequest.ts';
import type { ReportDamageResponse__Output } from './lockstep/v1/ReportDamageResponse.ts';
import type { ReportReadsRequest } from './lockstep/v1/ReportReadsRequest.ts';
import type { ReportReadsResponse__Output } from './lockstep/v1/ReportReadsResponse.ts';
import type { ReportRefusalsRequest } from './lockstep/v1/ReportRefusalsRequest.ts';
import type { ReportRefusalsResponse__Output } from './lockstep/v1/ReportRefusalsResponse.ts';
import type { RestoreRepositoryRequest } from './lockstep/v1/RestoreRepositoryRequest.ts';
import type { RestoreRepositoryResponse__Output } from './lockstep/v1/RestoreRepositoryResponse.ts';
import type { RevokeKeyRequest } from './lockstep/v1/RevokeKeyRequest.ts';
import type { RevokeKeyResponse__Output } from './lockstep/v1/RevokeKeyResponse.ts';
import type { SetDeviceRequest } from './lockstep/v1/SetDeviceRequest.ts';
import type { SetDeviceResponse__Output } from './lockstep/v1/SetDeviceResponse.ts';
import type { SetRepositoryRequest } from './lockstep/v1/SetRepositoryRequest.ts';
import type { SetRepositoryResponse__Output } from './lockstep/v1/SetRepositoryResponse.ts';
import type { SetRetentionRequest } from './lockstep/v1/SetRetentionRequest.ts';
import type { SetRetentionResponse__Output } from './lockstep/v1/SetRetentionResponse.ts';
import type { StopWritesRequest } from './lockstep/v1/StopWritesRequest.ts';
import type { StopWritesResponse__Output } from './lockstep/v1/StopWritesResponse.ts';
import type { ThawRequest } from './lockstep/v1/ThawRequest.ts';
import type { ThawResponse__Output } from './lockstep/v1/ThawResponse.ts';
import type { TrustKeyRequest } from './lockstep/v1/TrustKeyRequest.ts';
import type { TrustKeyResponse__Output } from './lockstep/v1/TrustKeyResponse.ts';
import type { UndoVersionRequest } from './lockstep/v1/UndoVersionRequest.ts';
import type { UndoVersionResponse__Output } from './lockstep/v1/UndoVersionResponse.ts';
import type { UndrainDeviceRequest } from './lockstep/v1/UndrainDeviceRequest.ts';
import type { UndrainDeviceResponse__Output } from './lockstep/v1/UndrainDeviceResponse.ts';
import type { VerifyAuditRequest } from './lockstep/v1/VerifyAuditRequest.ts';
import type { VerifyAuditResponse__Output } from './lockstep/v1/VerifyAuditResponse.ts';
import type { VerifyReplicaRequest } from './lockstep/v1/VerifyReplicaRequest.ts';
import type { VerifyReplicaResponse__Output } from './lockstep/v1/VerifyReplicaResponse.ts';
import type { WatchCommandsRequest } from './lockstep/v1/WatchCommandsRequest.ts';
import type { WatchCommandsResponse__Output } from './lockstep/v1/WatchCommandsResponse.ts';
import type { WatchRequest } from './lockstep/v1/WatchRequest.ts';
import type { WatchResponse__Output } from './lockstep/v1/WatchResponse.ts';

export interface CallOptions {
  /** How long the call may take, with its repetitions. A stream has no such limit. */
  readonly timeoutMs?: number;
  /** Cancels the call. */
  readonly signal?: AbortSignal;
  /** The place of the caller's work in a trace, as W3C Trace Context writes it. */
  readonly traceparent?: string;
}

/**
 * When a failed call is repeated. always: when the sidecar allows it or the connection fails. told: only when the sidecar
 * allows it. never: by its caller only.
 */
export type Repeats = "always" | "told" | "never";

/** A method for each RPC. */
export abstract class Methods {
  protected abstract unary<Request, Response>(
    name: string, request: Request, options: CallOptions, repeats: Repeats,
  ): Promise<Response>;
  protected abstract streaming<Request, Response>(
    name: string, request: Request, options: CallOptions,
  ): AsyncGenerator<Response>;

  /**
   * Tells the version of this replica, the head, the leaders and the writer. All of it is as of one moment after the
   * call arrived. Waits for nothing. May be repeated. For every role.
   * Errors: INVALID_NAME, REPOSITORY_NOT_FOUND, REPLICA_NOT_FOUND, DATABASE_UNAVAILABLE.
   */
  getVersion(request: GetVersionRequest, options: CallOptions = {}): Promise<GetVersionResponse__Output> {
    return this.unary<GetVersionRequest, GetVersionResponse__Output>("GetVersion", request, options, "always");
  }

  /**
   * Brings this replica to `version`. Streams progress, then exactly one result. When the result comes, the refs of
   * that version are on disk. If a loss of power takes them from the disk, the sidecar writes them again before it
   * serves. Joins a catch-up that is under way. May be repeated. For every role.
   * Errors: INVALID_NAME, REPOSITORY_NOT_FOUND, REPLICA_NOT_FOUND, DEVICE_NOT_FOUND, VERSION_AHEAD, NO_SOURCE,
   * QUEUE_FULL, CATCH_UP_TIMEOUT (the catch-up goes on), NOT_A_REPOSITORY, AHEAD_OF_DATABASE, DATABASE_UNAVAILABLE.
   */
  fetchFrom(request: FetchFromRequest, options: CallOptions = {}): AsyncGenerator<FetchFromResponse__Output> {
    return this.streaming<FetchFromRequest, FetchFromResponse__Output>("FetchFrom", request, options);
  }

  /**
   * Returns when this replica holds at least the version that was the head when the call arrived. A read that starts
   * afterwards sees every push that was acknowledged before. If the replica is current, the call costs one database
   * round trip, which it shares with other calls. Without PostgreSQL the call fails; a read is never silently stale.
   * May be repeated. For every role.
   * Errors: INVALID_REQUEST (the fields of the request contradict each other, or `commit` names a tree or a blob),
   * COMMIT_NOT_FOUND, WRITES_STOPPED (with `for_push`), and as FetchFrom.
   */
  beforeRead(request: BeforeReadRequest, options: CallOptions = {}): Promise<BeforeReadResponse__Output> {
    return this.unary<BeforeReadRequest, BeforeReadResponse__Output>("BeforeRead", request, options, "always");
  }

  /**
   * Begins a write session, for a program that makes refs itself. Waits for the writes before it, first come, first
   * served, and then until this replica is current. When the call returns, the session has the repository's write
   * turn: until it is over, no other write to the repository lands, on any device. This replica is then at
   * `base_version`, the head. `path`, on this device, is a scratch repository: bare, with the refs of that version.
   * Change it with any git; no reader of the repository sees the changes. Reads go on everywhere.
   *
   * The session is dropped if it is not renewed before `expires_at`. The session belongs to its caller: the role and
   * name of the certificate, or the local socket. `token` allows that caller, and no other, to renew, land or drop the
   * write; keep it secret. The write id allows nothing: everyone who reads the repository is shown it.
   *
   * May be repeated by the same caller on the same device with the same `write_id`, a UUID that the caller chose. It
   * then answers as before; do this after a lost answer. If a caller goes away while it waits, it loses its place,
   * unless it has called again. If it goes away later, its session waits for the repeated call until the lease ends.
   * For front ends and operators.
   * Errors: TURN_HELD, WRITES_STOPPED, INVALID_REQUEST, PERMISSION_DENIED, and as BeforeRead. The details of TURN_HELD
   * say who holds the turn, on which device, since when and why. INVALID_REQUEST: a text is too long, or the write with
   * that id is over, is another caller's or is on another device.
   */
  beginWrite(request: BeginWriteRequest, options: CallOptions = {}): Promise<BeginWriteResponse__Output> {
    return this.unary<BeginWriteRequest, BeginWriteResponse__Output>("BeginWrite", request, options, "told");
  }

  /**
   * Extends the lease of a session by 12 s. Call it every 5 s, on the device where the session was begun. Waits for
   * nothing. May be repeated. For the caller that began the session.
   * Errors: INVALID_NAME, WRITE_NOT_FOUND, PERMISSION_DENIED (the session is another caller's), WRITE_DROPPED (the
   * session is over; the sentence says whether it landed), DATABASE_UNAVAILABLE.
   */
  renewWrite(request: RenewWriteRequest, options: CallOptions = {}): Promise<RenewWriteResponse__Output> {
    return this.unary<RenewWriteRequest, RenewWriteResponse__Output>("RenewWrite", request, options, "always");
  }

  /**
   * Lands the changes that were made in the scratch repository since the session began, all of them or none, as the
   * version after `base_version`. When the call returns, the version is in the log for good, its objects are synced,
   * and the refs are on this device's disk. Every later BeforeRead on any device sees them, also after a loss of power.
   * The turn is free and the scratch repository is gone. If nothing was changed, the answer is `base_version` and 0
   * refs. Costs one walk over the refs of the scratch repository, and moves its new objects. The lease is renewed
   * meanwhile.
   *
   * May be repeated: the same token gives the same answer, however late, and on any device once the write has landed.
   * For the caller that began the session; an operator may ask for the answer too.
   * Errors: INVALID_NAME, WRITE_NOT_FOUND, PERMISSION_DENIED (the session is another caller's), REPLICA_IN_DOUBT (a
   * process still works on the live files). WRITE_DROPPED: nothing landed and nothing will; AbortWrite then tells
   * where the changes are kept. OUTCOME_UNKNOWN and DATABASE_UNAVAILABLE: call again until it answers.
   */
  bumpVersion(request: BumpVersionRequest, options: CallOptions = {}): Promise<BumpVersionResponse__Output> {
    return this.unary<BumpVersionRequest, BumpVersionResponse__Output>("BumpVersion", request, options, "always");
  }

  /**
   * Drops a session. When the call returns, nothing of the write has landed or will. The turn is free and the scratch
   * repository is gone. The refs that were created or moved in it are kept, with their objects, in this device's
   * replica: `saved_refs`, below refs/lockstep/dropped/<write id>/. They are served to nobody. They are removed after
   * the time that GetRetention tells for `dropped`.
   *
   * May be repeated, also for a session that was dropped for another reason: the answer is the same. For the caller
   * that began the session. An operator may drop any session: by its token, or without one by `write_id`, which `repo
   * show` and GetVersion tell. On another device than the session's it answers without the names; the changes are kept
   * on the session's device.
   * Errors: INVALID_NAME, WRITE_NOT_FOUND, PERMISSION_DENIED (the session is another caller's), WRITE_DROPPED (it has
   * landed: write its opposite), DATABASE_UNAVAILABLE, and as BeforeRead. After REPLICA_IN_DOUBT or UNAVAILABLE the
   * session is dropped, and its changes will be kept: call again for the names.
   */
  abortWrite(request: AbortWriteRequest, options: CallOptions = {}): Promise<AbortWriteResponse__Output> {
    return this.unary<AbortWriteRequest, AbortWriteResponse__Output>("AbortWrite", request, options, "always");
  }

  /**
   * Tells the outcome of a write, for a caller that was cut off before the answer. May be repeated; a landed or
   * dropped write stays so. For every role.
   * Errors: INVALID_NAME, INVALID_REQUEST, WRITE_NOT_FOUND, DATABASE_UNAVAILABLE.
   */
  getWrite(request: GetWriteRequest, options: CallOptions = {}): Promise<GetWriteResponse__Output> {
    return this.unary<GetWriteRequest, GetWriteResponse__Output>("GetWrite", request, options, "always");
  }

  /**
   * Creates an empty repository at version 0, with a replica on each of the devices, also on those that are down.
   * Waits, up to the call's deadline, until the replicas on live devices exist. May not be repeated: a second call
   * fails with REPOSITORY_EXISTS. Hides nothing: if something lies at its place on a live device, fails with
   * DIRECTORY_EXISTS. For operators.
   * Errors: INVALID_NAME, INVALID_REQUEST, REPOSITORY_EXISTS, DIRECTORY_EXISTS, DEVICE_NOT_FOUND,
   * DATABASE_UNAVAILABLE.
   */
  createRepository(request: CreateRepositoryRequest, options: CallOptions = {}): Promise<CreateRepositoryResponse__Output> {
    return this.unary<CreateRepositoryRequest, CreateRepositoryResponse__Output>("CreateRepository", request, options, "never");
  }

  /**
   * Changes those settings of a repository that the request has, and leaves the others as they are. The new settings
   * hold for writes that are staged from then on. A device that no longer belongs to `placement` keeps its copy, and
   * serves reads, until the others have everything. For operators.
   * Errors: INVALID_NAME, INVALID_REQUEST (also for more copies than devices), REPOSITORY_NOT_FOUND, DEVICE_NOT_FOUND.
   */
  setRepository(request: SetRepositoryRequest, options: CallOptions = {}): Promise<SetRepositoryResponse__Output> {
    return this.unary<SetRepositoryRequest, SetRepositoryResponse__Output>("SetRepository", request, options, "told");
  }

  /**
   * Lists repositories in the order of their names, a page at a time. For every role.
   * Errors: INVALID_NAME.
   */
  listRepositories(request: ListRepositoriesRequest, options: CallOptions = {}): Promise<ListRepositoriesResponse__Output> {
    return this.unary<ListRepositoriesRequest, ListRepositoriesResponse__Output>("ListRepositories", request, options, "always");
  }

  /**
   * Tells the head of one repository, its replicas, its writer, the queue for the turn, and the last catch-ups. For
   * every role.
   * Errors: INVALID_NAME, REPOSITORY_NOT_FOUND.
   */
  getRepository(request: GetRepositoryRequest, options: CallOptions = {}): Promise<GetRepositoryResponse__Output> {
    return this.unary<GetRepositoryRequest, GetRepositoryResponse__Output>("GetRepository", request, options, "always");
  }

  /**
   * Lists the ref log of one repository, newest version first, a page at a time. For every role.
   * Errors: INVALID_NAME, REPOSITORY_NOT_FOUND.
   */
  listLog(request: ListLogRequest, options: CallOptions = {}): Promise<ListLogResponse__Output> {
    return this.unary<ListLogRequest, ListLogResponse__Output>("ListLog", request, options, "always");
  }

  /**
   * Tells all devices, the repositories that are not at rest, and where writes are stopped. For every role. A
   * repository is not at rest in each of these cases:
   * - A replica is behind or broken, or the head is on one device only.
   * - A write is under way, or writes are stopped.
   * - It waits for Thaw.
   * Errors: DATABASE_UNAVAILABLE.
   */
  getStatus(request: GetStatusRequest, options: CallOptions = {}): Promise<GetStatusResponse__Output> {
    return this.unary<GetStatusRequest, GetStatusResponse__Output>("GetStatus", request, options, "always");
  }

  /**
   * Stops writes, for maintenance. From now until AllowWrites, pushes and write sessions fail with WRITES_STOPPED and
   * the reason, on every device. Streams the writes that it still waits for, whenever they change, then exactly one
   * result: nothing can land any more. A write whose device is down is dropped.
   *
   * If the call fails after the first message, writes stay stopped, and the writes under way may still land. A
   * repeated call goes on waiting, with the new reason. For operators.
   * Errors: INVALID_NAME, INVALID_REQUEST, REPOSITORY_NOT_FOUND, WRITES_UNDER_WAY (the wait is over),
   * WRITES_NOT_STOPPED (somebody allowed writes meanwhile), DATABASE_UNAVAILABLE.
   */
  stopWrites(request: StopWritesRequest, options: CallOptions = {}): AsyncGenerator<StopWritesResponse__Output> {
    return this.streaming<StopWritesRequest, StopWritesResponse__Output>("StopWrites", request, options);
  }

  /**
   * Allows writes again, to all of the named repositories or to none of them. A stop for all repositories is lifted
   * for all. For operators.
   * Errors: INVALID_NAME, INVALID_REQUEST, REPOSITORY_NOT_FOUND, WRITES_NOT_STOPPED, DATABASE_UNAVAILABLE.
   */
  allowWrites(request: AllowWritesRequest, options: CallOptions = {}): Promise<AllowWritesResponse__Output> {
    return this.unary<AllowWritesRequest, AllowWritesResponse__Output>("AllowWrites", request, options, "told");
  }

  /**
   * Compares the refs on this device's disk with the fold of the log. If they differ, makes them equal, and keeps the
   * refs that it replaces below refs/lockstep/lost/<version>/. For operators.
   *
   * With `full` it also reads every object. If some are damaged, it fetches the whole repository from the other
   * devices again, and moves the damaged files aside; it removes none. It does the same with `shallow`, `info/grafts`
   * and `objects/info/alternates`, with which git sees other objects than this replica has.
   * Errors: INVALID_NAME, REPOSITORY_NOT_FOUND, REPLICA_NOT_FOUND, NOT_A_REPOSITORY.
   */
  verifyReplica(request: VerifyReplicaRequest, options: CallOptions = {}): Promise<VerifyReplicaResponse__Output> {
    return this.unary<VerifyReplicaRequest, VerifyReplicaResponse__Output>("VerifyReplica", request, options, "told");
  }

  /**
   * Appends a version that says which refs stay, after all leaders were lost or the database has lost writes. Without a
   * confirmation the call changes nothing and only tells what it would do.
   * - `promote`: the refs on that device's disk stay. Call that device's own sidecar.
   * - `demote`: the writes that only those devices hold are given up. They stay in the log, and below
   *   refs/lockstep/lost/<version>/ of each device that has them.
   *
   * May not be repeated with the same confirmation: a confirmation can be used once. For operators.
   * Errors: INVALID_NAME, INVALID_REQUEST, REPOSITORY_NOT_FOUND, REPLICA_NOT_FOUND, DEVICE_NOT_FOUND,
   * NOT_A_REPOSITORY, REPLICA_IN_DOUBT, THAW_REFUSED, WRITE_DROPPED (something has changed since the plan was shown),
   * DATABASE_UNAVAILABLE.
   */
  thaw(request: ThawRequest, options: CallOptions = {}): Promise<ThawResponse__Output> {
    return this.unary<ThawRequest, ThawResponse__Output>("Thaw", request, options, "never");
  }

  /**
   * Asks devices to do something with their replicas of a repository. Returns when the commands are in the queue. The
   * sidecar of each device carries its commands out; a device that is away does so when it is back. If an equal
   * command waits already, that one is returned and none is added. May be repeated. For operators.
   * Errors: INVALID_NAME, INVALID_REQUEST, REPOSITORY_NOT_FOUND, REPLICA_NOT_FOUND, DATABASE_UNAVAILABLE.
   */
  enqueueCommand(request: EnqueueCommandRequest, options: CallOptions = {}): Promise<EnqueueCommandResponse__Output> {
    return this.unary<EnqueueCommandRequest, EnqueueCommandResponse__Output>("EnqueueCommand", request, options, "always");
  }

  /**
   * Tells what has become of a command. For every role.
   * Errors: INVALID_REQUEST, COMMAND_NOT_FOUND, DATABASE_UNAVAILABLE.
   */
  getCommand(request: GetCommandRequest, options: CallOptions = {}): Promise<GetCommandResponse__Output> {
    return this.unary<GetCommandRequest, GetCommandResponse__Output>("GetCommand", request, options, "always");
  }

  /**
   * Lists commands, newest first, a page at a time. For every role.
   * Errors: INVALID_NAME, INVALID_REQUEST, DATABASE_UNAVAILABLE.
   */
  listCommands(request: ListCommandsRequest, options: CallOptions = {}): Promise<ListCommandsResponse__Output> {
    return this.unary<ListCommandsRequest, ListCommandsResponse__Output>("ListCommands", request, options, "always");
  }

  /**
   * Streams the named commands as they are now, then each one again whenever it has changed. Ends when all of them have
   * ended. For every role.
   * Errors: INVALID_REQUEST, COMMAND_NOT_FOUND, DATABASE_UNAVAILABLE.
   */
  watchCommands(request: WatchCommandsRequest, options: CallOptions = {}): AsyncGenerator<WatchCommandsResponse__Output> {
    return this.streaming<WatchCommandsRequest, WatchCommandsResponse__Output>("WatchCommands", request, options);
  }

  /**
   * Appends the opposite of an earlier version: each ref that the version changed gets the value that it had before.
   * Without a confirmation it changes nothing and only tells what it would do. A ref that has changed again since is a
   * conflict, and then nothing is changed. The objects of the earlier values must be on some device; they are fetched
   * onto the device that is asked.
   *
   * The opposite is a write like any other, on the device that is asked, and all its refs land or none. It is refused
   * while writes are stopped, waits for the turn, and needs as many copies as `min_copies` says. No `update` hook is
   * asked.
   *
   * A second call after a success is refused with UNDO_REFUSED, because the refs have their earlier values again. For
   * operators.
   * Errors: INVALID_NAME, INVALID_REQUEST, REPOSITORY_NOT_FOUND, REPLICA_NOT_FOUND, UNDO_REFUSED (a conflict, objects
   * that are gone, or no such version). WRITE_DROPPED (its refs have changed since the plan was shown), WRITES_STOPPED,
   * TURN_HELD, NOT_ENOUGH_COPIES, QUEUE_FULL, OUTCOME_UNKNOWN, DATABASE_UNAVAILABLE.
   */
  undoVersion(request: UndoVersionRequest, options: CallOptions = {}): Promise<UndoVersionResponse__Output> {
    return this.unary<UndoVersionRequest, UndoVersionResponse__Output>("UndoVersion", request, options, "told");
  }

  /**
   * Lists the devices of the cluster, without those that were removed. For every role.
   * Errors: DATABASE_UNAVAILABLE.
   */
  listDevices(request: ListDevicesRequest, options: CallOptions = {}): Promise<ListDevicesResponse__Output> {
    return this.unary<ListDevicesRequest, ListDevicesResponse__Output>("ListDevices", request, options, "always");
  }

  /**
   * Tells one device, also one that was removed: its replicas, and what only it has. For every role.
   * Errors: INVALID_NAME, DEVICE_NOT_FOUND, DATABASE_UNAVAILABLE.
   */
  getDevice(request: GetDeviceRequest, options: CallOptions = {}): Promise<GetDeviceResponse__Output> {
    return this.unary<GetDeviceRequest, GetDeviceResponse__Output>("GetDevice", request, options, "always");
  }

  /**
   * Makes a device safe to switch off. From now on it takes no writes and no new replicas, and its copies no longer
   * count for `min_copies`. It goes on serving reads. Returns at once; GetDevice tells when the device is drained: then
   * it has nothing that no other device has. For operators.
   * Errors: INVALID_NAME, DEVICE_NOT_FOUND, DEVICE_REMOVED, DEVICE_NEEDED (repositories would be on too few devices),
   * DATABASE_UNAVAILABLE.
   */
  drainDevice(request: DrainDeviceRequest, options: CallOptions = {}): Promise<DrainDeviceResponse__Output> {
    return this.unary<DrainDeviceRequest, DrainDeviceResponse__Output>("DrainDevice", request, options, "told");
  }

  /**
   * Ends the drain of a device. It gets the replicas that were made meanwhile. A device that was removed may join
   * again, as a new one. For operators.
   * Errors: INVALID_NAME, DEVICE_NOT_FOUND, DATABASE_UNAVAILABLE.
   */
  undrainDevice(request: UndrainDeviceRequest, options: CallOptions = {}): Promise<UndrainDeviceResponse__Output> {
    return this.unary<UndrainDeviceRequest, UndrainDeviceResponse__Output>("UndrainDevice", request, options, "told");
  }

  /**
   * Removes a device from the cluster, with its replicas. Nothing counts it any more, and its sidecar ends. Its files
   * stay as they are. For operators.
   * Errors: INVALID_NAME, DEVICE_NOT_FOUND, DEVICE_NEEDED (only it has something, or repositories would be on too few
   * devices), DATABASE_UNAVAILABLE.
   */
  removeDevice(request: RemoveDeviceRequest, options: CallOptions = {}): Promise<RemoveDeviceResponse__Output> {
    return this.unary<RemoveDeviceRequest, RemoveDeviceResponse__Output>("RemoveDevice", request, options, "told");
  }

  /**
   * Changes those settings of a device that the request has. For operators.
   * Errors: INVALID_NAME, DEVICE_NOT_FOUND, DEVICE_REMOVED, DATABASE_UNAVAILABLE.
   */
  setDevice(request: SetDeviceRequest, options: CallOptions = {}): Promise<SetDeviceResponse__Output> {
    return this.unary<SetDeviceRequest, SetDeviceResponse__Output>("SetDevice", request, options, "told");
  }

  /**
   * Lists, in the order of their names, the repositories about which an operator has to decide (Thaw) and can do so
   * with these devices. `demote`: no other live device has the head. `promote`: the database has lost writes, and the
   * device has a replica. For operators.
   * Errors: INVALID_NAME, INVALID_REQUEST, DEVICE_NOT_FOUND, THAW_REFUSED (a device that is away may have more),
   * DATABASE_UNAVAILABLE.
   */
  listThawable(request: ListThawableRequest, options: CallOptions = {}): Promise<ListThawableResponse__Output> {
    return this.unary<ListThawableRequest, ListThawableResponse__Output>("ListThawable", request, options, "always");
  }

  /**
   * Tells what lands in the cluster, from a cursor on, for as long as the caller listens. The versions of a repository
   * come in their order. With the cursor of a message, a later call goes on after that message: it misses nothing, and
   * nothing comes twice. The first message has no entry, only the cursor at which the call begins. A message without an
   * entry comes too when nothing has happened for half a minute. A caller that reads slowly gets the messages later;
   * the sidecar keeps a few of them. When the sidecar stops, the stream ends with SHUTTING_DOWN: go on at another
   * device, with the last cursor. For front ends and operators.
   * Errors: INVALID_NAME, INVALID_REQUEST, REPOSITORY_NOT_FOUND, CURSOR_EXPIRED (versions after the cursor were
   * trimmed from the log), QUEUE_FULL, SHUTTING_DOWN, DATABASE_UNAVAILABLE.
   */
  watch(request: WatchRequest, options: CallOptions = {}): AsyncGenerator<WatchResponse__Output> {
    return this.streaming<WatchRequest, WatchResponse__Output>("Watch", request, options);
  }

  /**
   * Adds a webhook. From now on, Lockstep posts each event to its URL, as docs/integration.md says: at least once, and
   * in the order of versions. May not be repeated: a second call fails with HOOK_EXISTS. For operators.
   * Errors: INVALID_NAME, INVALID_REQUEST, HOOK_EXISTS, DATABASE_UNAVAILABLE.
   */
  addHook(request: AddHookRequest, options: CallOptions = {}): Promise<AddHookResponse__Output> {
    return this.unary<AddHookRequest, AddHookResponse__Output>("AddHook", request, options, "never");
  }

  /**
   * Lists the webhooks with the state of their deliveries. It tells no secret. For operators.
   * Errors: DATABASE_UNAVAILABLE.
   */
  listHooks(request: ListHooksRequest, options: CallOptions = {}): Promise<ListHooksResponse__Output> {
    return this.unary<ListHooksRequest, ListHooksResponse__Output>("ListHooks", request, options, "always");
  }

  /**
   * Removes a webhook. A delivery that is under way may still arrive. For operators.
   * Errors: HOOK_NOT_FOUND, DATABASE_UNAVAILABLE.
   */
  removeHook(request: RemoveHookRequest, options: CallOptions = {}): Promise<RemoveHookResponse__Output> {
    return this.unary<RemoveHookRequest, RemoveHookResponse__Output>("RemoveHook", request, options, "told");
  }

  /**
   * Adopts bare repositories that lie below the root of the device that answers, as they are: their refs become
   * version 1. A directory that other devices have too is compared with theirs. Equal refs cost no copying. Different
   * refs are refused, unless `from` names the device whose refs stay; the others keep theirs below refs/lockstep/lost/.
   * Each adoption is a command of the queue, so it goes on after a crash and when the caller leaves. Streams the
   * outcome of each directory. For operators.
   * Errors: INVALID_NAME, INVALID_REQUEST, ROOT_GONE, DATABASE_UNAVAILABLE.
   */
  adoptRepositories(request: AdoptRepositoriesRequest, options: CallOptions = {}): AsyncGenerator<AdoptRepositoriesResponse__Output> {
    return this.streaming<AdoptRepositoriesRequest, AdoptRepositoriesResponse__Output>("AdoptRepositories", request, options);
  }

  /**
   * Tells what Lockstep keeps for a time, for how long, and how much space it takes. For every role.
   * Errors: DATABASE_UNAVAILABLE.
   */
  getRetention(request: GetRetentionRequest, options: CallOptions = {}): Promise<GetRetentionResponse__Output> {
    return this.unary<GetRetentionRequest, GetRetentionResponse__Output>("GetRetention", request, options, "always");
  }

  /**
   * Sets for how long one subject is kept, in the whole cluster. Devices delete what is older in the background, small
   * parts at a time. For operators.
   * Errors: INVALID_REQUEST, DATABASE_UNAVAILABLE.
   */
  setRetention(request: SetRetentionRequest, options: CallOptions = {}): Promise<SetRetentionResponse__Output> {
    return this.unary<SetRetentionRequest, SetRetentionResponse__Output>("SetRetention", request, options, "told");
  }

  /**
   * Orders a full verification of the replica on this device, at once: a git has failed there as if the disk were
   * damaged. `lockstep gate` calls it. At most one in ten minutes is ordered for a replica. May be repeated. For front
   * ends and operators.
   * Errors: REPOSITORY_NOT_FOUND.
   */
  reportDamage(request: ReportDamageRequest, options: CallOptions = {}): Promise<ReportDamageResponse__Output> {
    return this.unary<ReportDamageRequest, ReportDamageResponse__Output>("ReportDamage", request, options, "always");
  }

  /**
   * Brings refused credentials of users to the audit. `lockstep gate` calls it. Equal ones are counted: they make at
   * most three rows a minute. If it is repeated, they are counted again. For operators.
   * Errors: INVALID_REQUEST.
   */
  reportRefusals(request: ReportRefusalsRequest, options: CallOptions = {}): Promise<ReportRefusalsResponse__Output> {
    return this.unary<ReportRefusalsRequest, ReportRefusalsResponse__Output>("ReportRefusals", request, options, "told");
  }

  /**
   * Brings reads that a front end has answered or refused to the pull log. Pushes that it refused before their upload
   * go to the push log. `lockstep gate` calls it about once a second. If it is repeated, they are there twice. For
   * operators.
   * Errors: INVALID_NAME, INVALID_REQUEST.
   */
  reportReads(request: ReportReadsRequest, options: CallOptions = {}): Promise<ReportReadsResponse__Output> {
    return this.unary<ReportReadsRequest, ReportReadsResponse__Output>("ReportReads", request, options, "told");
  }

  /**
   * Lists the push log: pushes and write sessions, newest first, with what they waited for. Devices write it about once
   * a second, so the last ones may be missing. For operators.
   * Errors: INVALID_NAME, INVALID_REQUEST, DATABASE_UNAVAILABLE.
   */
  listPushes(request: ListPushesRequest, options: CallOptions = {}): Promise<ListPushesResponse__Output> {
    return this.unary<ListPushesRequest, ListPushesResponse__Output>("ListPushes", request, options, "always");
  }

  /**
   * Lists the pull log: reads through the gate, over ssh and of front ends, newest first. For operators.
   * Errors: INVALID_NAME, INVALID_REQUEST, DATABASE_UNAVAILABLE.
   */
  listPulls(request: ListPullsRequest, options: CallOptions = {}): Promise<ListPullsResponse__Output> {
    return this.unary<ListPullsRequest, ListPullsResponse__Output>("ListPulls", request, options, "always");
  }

  /**
   * Lists the sync log: catch-ups of replicas, newest first, with git's words where one failed. For operators.
   * Errors: INVALID_NAME, INVALID_REQUEST, DATABASE_UNAVAILABLE.
   */
  listSyncs(request: ListSyncsRequest, options: CallOptions = {}): Promise<ListSyncsResponse__Output> {
    return this.unary<ListSyncsRequest, ListSyncsResponse__Output>("ListSyncs", request, options, "always");
  }

  /**
   * Gives a repository another name. Reads and pushes under the new name work at once on every device. The old name
   * fails with REPOSITORY_NOT_FOUND, and for a day its details name the new one (`renamed_to`). Waits until every live
   * device has moved its directory, at most a minute; a device that is away does so when it is back. A push that is
   * under way lands, or is refused. May be repeated. For operators.
   * Errors: INVALID_NAME, INVALID_REQUEST, REPOSITORY_NOT_FOUND, REPOSITORY_EXISTS, DIRECTORY_EXISTS (something lies at
   * the place of the new name), TURN_HELD (a write session is open), DATABASE_UNAVAILABLE.
   */
  renameRepository(request: RenameRepositoryRequest, options: CallOptions = {}): Promise<RenameRepositoryResponse__Output> {
    return this.unary<RenameRepositoryRequest, RenameRepositoryResponse__Output>("RenameRepository", request, options, "always");
  }

  /**
   * Trusts a key of a name. Every sidecar lets callers with that name in only if they show a key that is trusted. If
   * the request has no key, the key that waits is meant (ListIdentities). If none waits and the name has no trusted key
   * any more, the keys that were revoked last are meant. May be repeated. For operators.
   * Errors: INVALID_NAME, INVALID_REQUEST (also for a certificate of another name), KEY_NOT_FOUND, KEY_CONFLICT
   * (also if several keys wait), DATABASE_UNAVAILABLE.
   */
  trustKey(request: TrustKeyRequest, options: CallOptions = {}): Promise<TrustKeyResponse__Output> {
    return this.unary<TrustKeyRequest, TrustKeyResponse__Output>("TrustKey", request, options, "always");
  }

  /**
   * Makes a token with which a device may have its key trusted once, within an hour (`serve --enroll-token-file`). Only
   * its hash is kept. For operators.
   * Errors: INVALID_NAME, INVALID_REQUEST, DATABASE_UNAVAILABLE.
   */
  makeEnrollToken(request: MakeEnrollTokenRequest, options: CallOptions = {}): Promise<MakeEnrollTokenResponse__Output> {
    return this.unary<MakeEnrollTokenRequest, MakeEnrollTokenResponse__Output>("MakeEnrollToken", request, options, "told");
  }

  /**
   * Revokes all keys of a name, or one. Every sidecar ends the connections, streams and fetches of that key within a
   * second. A name whose last key was revoked stays out until TrustKey. If it is a device, it takes no writes and its
   * writes under way are dropped. If it is a front end or an operator, its write sessions are dropped. May be repeated.
   * For operators.
   * Errors: INVALID_NAME, INVALID_REQUEST, KEY_NOT_FOUND, DATABASE_UNAVAILABLE.
   */
  revokeKey(request: RevokeKeyRequest, options: CallOptions = {}): Promise<RevokeKeyResponse__Output> {
    return this.unary<RevokeKeyRequest, RevokeKeyResponse__Output>("RevokeKey", request, options, "always");
  }

  /**
   * Lists the names of the registry with their keys, and the keys that were refused because nobody has trusted them.
   * For operators.
   * Errors: INVALID_NAME, INVALID_REQUEST, DATABASE_UNAVAILABLE.
   */
  listIdentities(request: ListIdentitiesRequest, options: CallOptions = {}): Promise<ListIdentitiesResponse__Output> {
    return this.unary<ListIdentitiesRequest, ListIdentitiesResponse__Output>("ListIdentities", request, options, "always");
  }

  /**
   * Lists the lines of authorized_keys with which sshd lets devices in: all, or that of one key. Answers from this
   * device's copy of the registry. For operators.
   * Errors: INVALID_REQUEST, DATABASE_UNAVAILABLE (that copy is older than a minute).
   */
  listAuthorizedKeys(request: ListAuthorizedKeysRequest, options: CallOptions = {}): Promise<ListAuthorizedKeysResponse__Output> {
    return this.unary<ListAuthorizedKeysRequest, ListAuthorizedKeysResponse__Output>("ListAuthorizedKeys", request, options, "always");
  }

  /**
   * Tells how this device reaches another one over ssh: the address, and the files of the keys. For operators.
   * Errors: DEVICE_NOT_FOUND, KEY_NOT_FOUND (no host key of it is trusted), PREREQUISITE_MISSING (this device has no
   * ssh key), DATABASE_UNAVAILABLE.
   */
  findSshWay(request: FindSshWayRequest, options: CallOptions = {}): Promise<FindSshWayResponse__Output> {
    return this.unary<FindSshWayRequest, FindSshWayResponse__Output>("FindSshWay", request, options, "always");
  }

  /**
   * Lists the acts of operators and the refused credentials, oldest first, a page at a time. For operators.
   * Errors: INVALID_REQUEST, DATABASE_UNAVAILABLE.
   */
  listAudit(request: ListAuditRequest, options: CallOptions = {}): Promise<ListAuditResponse__Output> {
    return this.unary<ListAuditRequest, ListAuditResponse__Output>("ListAudit", request, options, "always");
  }

  /**
   * Checks the chain of the audit: whether a row was changed or removed. For operators.
   * Errors: INVALID_REQUEST, DATABASE_UNAVAILABLE.
   */
  verifyAudit(request: VerifyAuditRequest, options: CallOptions = {}): Promise<VerifyAuditResponse__Output> {
    return this.unary<VerifyAuditRequest, VerifyAuditResponse__Output>("VerifyAudit", request, options, "told");
  }

  /**
   * Takes a repository out of service on every device at once. Reads, pushes and sessions fail with
   * REPOSITORY_NOT_FOUND, with `removed_at` and `keep_until` in the details. The name is free.
   * A push that is under way lands before, or is refused. Waits until every live device has moved its files aside, at
   * most a minute; a device that is away does so when it is back. The files are freed after `keep_days`, and then the
   * log is deleted. With `repository_id` it may be repeated. For operators.
   * Errors: INVALID_NAME, INVALID_REQUEST, REPOSITORY_NOT_FOUND, DATABASE_UNAVAILABLE.
   */
  removeRepository(request: RemoveRepositoryRequest, options: CallOptions = {}): Promise<RemoveRepositoryResponse__Output> {
    return this.unary<RemoveRepositoryRequest, RemoveRepositoryResponse__Output>("RemoveRepository", request, options, "told");
  }

  /**
   * Puts a removed repository back into service, with its log and every write that was acknowledged. Waits as
   * RemoveRepository does until every live device has its replica back. With `repository_id` it may be repeated. For
   * operators.
   * Errors: INVALID_NAME, INVALID_REQUEST, REPOSITORY_NOT_FOUND (it was not removed, or its time is over),
   * REPOSITORY_EXISTS (give a new name), DIRECTORY_EXISTS (something lies at its place), DATABASE_UNAVAILABLE.
   */
  restoreRepository(request: RestoreRepositoryRequest, options: CallOptions = {}): Promise<RestoreRepositoryResponse__Output> {
    return this.unary<RestoreRepositoryRequest, RestoreRepositoryResponse__Output>("RestoreRepository", request, options, "told");
  }

  /**
   * Lists the repositories that were removed and whose log is still there, by the name that they had; of one name the
   * newest removal first. For operators.
   * Errors: DATABASE_UNAVAILABLE.
   */
  listRemovedRepositories(request: ListRemovedRepositoriesRequest, options: CallOptions = {}): Promise<ListRemovedRepositoriesResponse__Output> {
    return this.unary<ListRemovedRepositoriesRequest, ListRemovedRepositoriesResponse__Output>("ListRemovedRepositories", request, options, "always");
  }
}

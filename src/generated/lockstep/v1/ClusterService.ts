// Original file: proto/lockstep/v1/cluster.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AddHookRequest as _lockstep_v1_AddHookRequest, AddHookRequest__Output as _lockstep_v1_AddHookRequest__Output } from '../../lockstep/v1/AddHookRequest.ts';
import type { AddHookResponse as _lockstep_v1_AddHookResponse, AddHookResponse__Output as _lockstep_v1_AddHookResponse__Output } from '../../lockstep/v1/AddHookResponse.ts';
import type { AdoptRepositoriesRequest as _lockstep_v1_AdoptRepositoriesRequest, AdoptRepositoriesRequest__Output as _lockstep_v1_AdoptRepositoriesRequest__Output } from '../../lockstep/v1/AdoptRepositoriesRequest.ts';
import type { AdoptRepositoriesResponse as _lockstep_v1_AdoptRepositoriesResponse, AdoptRepositoriesResponse__Output as _lockstep_v1_AdoptRepositoriesResponse__Output } from '../../lockstep/v1/AdoptRepositoriesResponse.ts';
import type { AllowWritesRequest as _lockstep_v1_AllowWritesRequest, AllowWritesRequest__Output as _lockstep_v1_AllowWritesRequest__Output } from '../../lockstep/v1/AllowWritesRequest.ts';
import type { AllowWritesResponse as _lockstep_v1_AllowWritesResponse, AllowWritesResponse__Output as _lockstep_v1_AllowWritesResponse__Output } from '../../lockstep/v1/AllowWritesResponse.ts';
import type { CreateRepositoryRequest as _lockstep_v1_CreateRepositoryRequest, CreateRepositoryRequest__Output as _lockstep_v1_CreateRepositoryRequest__Output } from '../../lockstep/v1/CreateRepositoryRequest.ts';
import type { CreateRepositoryResponse as _lockstep_v1_CreateRepositoryResponse, CreateRepositoryResponse__Output as _lockstep_v1_CreateRepositoryResponse__Output } from '../../lockstep/v1/CreateRepositoryResponse.ts';
import type { DrainDeviceRequest as _lockstep_v1_DrainDeviceRequest, DrainDeviceRequest__Output as _lockstep_v1_DrainDeviceRequest__Output } from '../../lockstep/v1/DrainDeviceRequest.ts';
import type { DrainDeviceResponse as _lockstep_v1_DrainDeviceResponse, DrainDeviceResponse__Output as _lockstep_v1_DrainDeviceResponse__Output } from '../../lockstep/v1/DrainDeviceResponse.ts';
import type { EnqueueCommandRequest as _lockstep_v1_EnqueueCommandRequest, EnqueueCommandRequest__Output as _lockstep_v1_EnqueueCommandRequest__Output } from '../../lockstep/v1/EnqueueCommandRequest.ts';
import type { EnqueueCommandResponse as _lockstep_v1_EnqueueCommandResponse, EnqueueCommandResponse__Output as _lockstep_v1_EnqueueCommandResponse__Output } from '../../lockstep/v1/EnqueueCommandResponse.ts';
import type { FindSshWayRequest as _lockstep_v1_FindSshWayRequest, FindSshWayRequest__Output as _lockstep_v1_FindSshWayRequest__Output } from '../../lockstep/v1/FindSshWayRequest.ts';
import type { FindSshWayResponse as _lockstep_v1_FindSshWayResponse, FindSshWayResponse__Output as _lockstep_v1_FindSshWayResponse__Output } from '../../lockstep/v1/FindSshWayResponse.ts';
import type { GetCommandRequest as _lockstep_v1_GetCommandRequest, GetCommandRequest__Output as _lockstep_v1_GetCommandRequest__Output } from '../../lockstep/v1/GetCommandRequest.ts';
import type { GetCommandResponse as _lockstep_v1_GetCommandResponse, GetCommandResponse__Output as _lockstep_v1_GetCommandResponse__Output } from '../../lockstep/v1/GetCommandResponse.ts';
import type { GetDeviceRequest as _lockstep_v1_GetDeviceRequest, GetDeviceRequest__Output as _lockstep_v1_GetDeviceRequest__Output } from '../../lockstep/v1/GetDeviceRequest.ts';
import type { GetDeviceResponse as _lockstep_v1_GetDeviceResponse, GetDeviceResponse__Output as _lockstep_v1_GetDeviceResponse__Output } from '../../lockstep/v1/GetDeviceResponse.ts';
import type { GetRepositoryRequest as _lockstep_v1_GetRepositoryRequest, GetRepositoryRequest__Output as _lockstep_v1_GetRepositoryRequest__Output } from '../../lockstep/v1/GetRepositoryRequest.ts';
import type { GetRepositoryResponse as _lockstep_v1_GetRepositoryResponse, GetRepositoryResponse__Output as _lockstep_v1_GetRepositoryResponse__Output } from '../../lockstep/v1/GetRepositoryResponse.ts';
import type { GetRetentionRequest as _lockstep_v1_GetRetentionRequest, GetRetentionRequest__Output as _lockstep_v1_GetRetentionRequest__Output } from '../../lockstep/v1/GetRetentionRequest.ts';
import type { GetRetentionResponse as _lockstep_v1_GetRetentionResponse, GetRetentionResponse__Output as _lockstep_v1_GetRetentionResponse__Output } from '../../lockstep/v1/GetRetentionResponse.ts';
import type { GetStatusRequest as _lockstep_v1_GetStatusRequest, GetStatusRequest__Output as _lockstep_v1_GetStatusRequest__Output } from '../../lockstep/v1/GetStatusRequest.ts';
import type { GetStatusResponse as _lockstep_v1_GetStatusResponse, GetStatusResponse__Output as _lockstep_v1_GetStatusResponse__Output } from '../../lockstep/v1/GetStatusResponse.ts';
import type { ListAuditRequest as _lockstep_v1_ListAuditRequest, ListAuditRequest__Output as _lockstep_v1_ListAuditRequest__Output } from '../../lockstep/v1/ListAuditRequest.ts';
import type { ListAuditResponse as _lockstep_v1_ListAuditResponse, ListAuditResponse__Output as _lockstep_v1_ListAuditResponse__Output } from '../../lockstep/v1/ListAuditResponse.ts';
import type { ListAuthorizedKeysRequest as _lockstep_v1_ListAuthorizedKeysRequest, ListAuthorizedKeysRequest__Output as _lockstep_v1_ListAuthorizedKeysRequest__Output } from '../../lockstep/v1/ListAuthorizedKeysRequest.ts';
import type { ListAuthorizedKeysResponse as _lockstep_v1_ListAuthorizedKeysResponse, ListAuthorizedKeysResponse__Output as _lockstep_v1_ListAuthorizedKeysResponse__Output } from '../../lockstep/v1/ListAuthorizedKeysResponse.ts';
import type { ListCommandsRequest as _lockstep_v1_ListCommandsRequest, ListCommandsRequest__Output as _lockstep_v1_ListCommandsRequest__Output } from '../../lockstep/v1/ListCommandsRequest.ts';
import type { ListCommandsResponse as _lockstep_v1_ListCommandsResponse, ListCommandsResponse__Output as _lockstep_v1_ListCommandsResponse__Output } from '../../lockstep/v1/ListCommandsResponse.ts';
import type { ListDevicesRequest as _lockstep_v1_ListDevicesRequest, ListDevicesRequest__Output as _lockstep_v1_ListDevicesRequest__Output } from '../../lockstep/v1/ListDevicesRequest.ts';
import type { ListDevicesResponse as _lockstep_v1_ListDevicesResponse, ListDevicesResponse__Output as _lockstep_v1_ListDevicesResponse__Output } from '../../lockstep/v1/ListDevicesResponse.ts';
import type { ListHooksRequest as _lockstep_v1_ListHooksRequest, ListHooksRequest__Output as _lockstep_v1_ListHooksRequest__Output } from '../../lockstep/v1/ListHooksRequest.ts';
import type { ListHooksResponse as _lockstep_v1_ListHooksResponse, ListHooksResponse__Output as _lockstep_v1_ListHooksResponse__Output } from '../../lockstep/v1/ListHooksResponse.ts';
import type { ListIdentitiesRequest as _lockstep_v1_ListIdentitiesRequest, ListIdentitiesRequest__Output as _lockstep_v1_ListIdentitiesRequest__Output } from '../../lockstep/v1/ListIdentitiesRequest.ts';
import type { ListIdentitiesResponse as _lockstep_v1_ListIdentitiesResponse, ListIdentitiesResponse__Output as _lockstep_v1_ListIdentitiesResponse__Output } from '../../lockstep/v1/ListIdentitiesResponse.ts';
import type { ListLogRequest as _lockstep_v1_ListLogRequest, ListLogRequest__Output as _lockstep_v1_ListLogRequest__Output } from '../../lockstep/v1/ListLogRequest.ts';
import type { ListLogResponse as _lockstep_v1_ListLogResponse, ListLogResponse__Output as _lockstep_v1_ListLogResponse__Output } from '../../lockstep/v1/ListLogResponse.ts';
import type { ListPullsRequest as _lockstep_v1_ListPullsRequest, ListPullsRequest__Output as _lockstep_v1_ListPullsRequest__Output } from '../../lockstep/v1/ListPullsRequest.ts';
import type { ListPullsResponse as _lockstep_v1_ListPullsResponse, ListPullsResponse__Output as _lockstep_v1_ListPullsResponse__Output } from '../../lockstep/v1/ListPullsResponse.ts';
import type { ListPushesRequest as _lockstep_v1_ListPushesRequest, ListPushesRequest__Output as _lockstep_v1_ListPushesRequest__Output } from '../../lockstep/v1/ListPushesRequest.ts';
import type { ListPushesResponse as _lockstep_v1_ListPushesResponse, ListPushesResponse__Output as _lockstep_v1_ListPushesResponse__Output } from '../../lockstep/v1/ListPushesResponse.ts';
import type { ListRemovedRepositoriesRequest as _lockstep_v1_ListRemovedRepositoriesRequest, ListRemovedRepositoriesRequest__Output as _lockstep_v1_ListRemovedRepositoriesRequest__Output } from '../../lockstep/v1/ListRemovedRepositoriesRequest.ts';
import type { ListRemovedRepositoriesResponse as _lockstep_v1_ListRemovedRepositoriesResponse, ListRemovedRepositoriesResponse__Output as _lockstep_v1_ListRemovedRepositoriesResponse__Output } from '../../lockstep/v1/ListRemovedRepositoriesResponse.ts';
import type { ListRepositoriesRequest as _lockstep_v1_ListRepositoriesRequest, ListRepositoriesRequest__Output as _lockstep_v1_ListRepositoriesRequest__Output } from '../../lockstep/v1/ListRepositoriesRequest.ts';
import type { ListRepositoriesResponse as _lockstep_v1_ListRepositoriesResponse, ListRepositoriesResponse__Output as _lockstep_v1_ListRepositoriesResponse__Output } from '../../lockstep/v1/ListRepositoriesResponse.ts';
import type { ListSyncsRequest as _lockstep_v1_ListSyncsRequest, ListSyncsRequest__Output as _lockstep_v1_ListSyncsRequest__Output } from '../../lockstep/v1/ListSyncsRequest.ts';
import type { ListSyncsResponse as _lockstep_v1_ListSyncsResponse, ListSyncsResponse__Output as _lockstep_v1_ListSyncsResponse__Output } from '../../lockstep/v1/ListSyncsResponse.ts';
import type { ListThawableRequest as _lockstep_v1_ListThawableRequest, ListThawableRequest__Output as _lockstep_v1_ListThawableRequest__Output } from '../../lockstep/v1/ListThawableRequest.ts';
import type { ListThawableResponse as _lockstep_v1_ListThawableResponse, ListThawableResponse__Output as _lockstep_v1_ListThawableResponse__Output } from '../../lockstep/v1/ListThawableResponse.ts';
import type { MakeEnrollTokenRequest as _lockstep_v1_MakeEnrollTokenRequest, MakeEnrollTokenRequest__Output as _lockstep_v1_MakeEnrollTokenRequest__Output } from '../../lockstep/v1/MakeEnrollTokenRequest.ts';
import type { MakeEnrollTokenResponse as _lockstep_v1_MakeEnrollTokenResponse, MakeEnrollTokenResponse__Output as _lockstep_v1_MakeEnrollTokenResponse__Output } from '../../lockstep/v1/MakeEnrollTokenResponse.ts';
import type { RemoveDeviceRequest as _lockstep_v1_RemoveDeviceRequest, RemoveDeviceRequest__Output as _lockstep_v1_RemoveDeviceRequest__Output } from '../../lockstep/v1/RemoveDeviceRequest.ts';
import type { RemoveDeviceResponse as _lockstep_v1_RemoveDeviceResponse, RemoveDeviceResponse__Output as _lockstep_v1_RemoveDeviceResponse__Output } from '../../lockstep/v1/RemoveDeviceResponse.ts';
import type { RemoveHookRequest as _lockstep_v1_RemoveHookRequest, RemoveHookRequest__Output as _lockstep_v1_RemoveHookRequest__Output } from '../../lockstep/v1/RemoveHookRequest.ts';
import type { RemoveHookResponse as _lockstep_v1_RemoveHookResponse, RemoveHookResponse__Output as _lockstep_v1_RemoveHookResponse__Output } from '../../lockstep/v1/RemoveHookResponse.ts';
import type { RemoveRepositoryRequest as _lockstep_v1_RemoveRepositoryRequest, RemoveRepositoryRequest__Output as _lockstep_v1_RemoveRepositoryRequest__Output } from '../../lockstep/v1/RemoveRepositoryRequest.ts';
import type { RemoveRepositoryResponse as _lockstep_v1_RemoveRepositoryResponse, RemoveRepositoryResponse__Output as _lockstep_v1_RemoveRepositoryResponse__Output } from '../../lockstep/v1/RemoveRepositoryResponse.ts';
import type { RenameRepositoryRequest as _lockstep_v1_RenameRepositoryRequest, RenameRepositoryRequest__Output as _lockstep_v1_RenameRepositoryRequest__Output } from '../../lockstep/v1/RenameRepositoryRequest.ts';
import type { RenameRepositoryResponse as _lockstep_v1_RenameRepositoryResponse, RenameRepositoryResponse__Output as _lockstep_v1_RenameRepositoryResponse__Output } from '../../lockstep/v1/RenameRepositoryResponse.ts';
import type { ReportDamageRequest as _lockstep_v1_ReportDamageRequest, ReportDamageRequest__Output as _lockstep_v1_ReportDamageRequest__Output } from '../../lockstep/v1/ReportDamageRequest.ts';
import type { ReportDamageResponse as _lockstep_v1_ReportDamageResponse, ReportDamageResponse__Output as _lockstep_v1_ReportDamageResponse__Output } from '../../lockstep/v1/ReportDamageResponse.ts';
import type { ReportReadsRequest as _lockstep_v1_ReportReadsRequest, ReportReadsRequest__Output as _lockstep_v1_ReportReadsRequest__Output } from '../../lockstep/v1/ReportReadsRequest.ts';
import type { ReportReadsResponse as _lockstep_v1_ReportReadsResponse, ReportReadsResponse__Output as _lockstep_v1_ReportReadsResponse__Output } from '../../lockstep/v1/ReportReadsResponse.ts';
import type { ReportRefusalsRequest as _lockstep_v1_ReportRefusalsRequest, ReportRefusalsRequest__Output as _lockstep_v1_ReportRefusalsRequest__Output } from '../../lockstep/v1/ReportRefusalsRequest.ts';
import type { ReportRefusalsResponse as _lockstep_v1_ReportRefusalsResponse, ReportRefusalsResponse__Output as _lockstep_v1_ReportRefusalsResponse__Output } from '../../lockstep/v1/ReportRefusalsResponse.ts';
import type { RestoreRepositoryRequest as _lockstep_v1_RestoreRepositoryRequest, RestoreRepositoryRequest__Output as _lockstep_v1_RestoreRepositoryRequest__Output } from '../../lockstep/v1/RestoreRepositoryRequest.ts';
import type { RestoreRepositoryResponse as _lockstep_v1_RestoreRepositoryResponse, RestoreRepositoryResponse__Output as _lockstep_v1_RestoreRepositoryResponse__Output } from '../../lockstep/v1/RestoreRepositoryResponse.ts';
import type { RevokeKeyRequest as _lockstep_v1_RevokeKeyRequest, RevokeKeyRequest__Output as _lockstep_v1_RevokeKeyRequest__Output } from '../../lockstep/v1/RevokeKeyRequest.ts';
import type { RevokeKeyResponse as _lockstep_v1_RevokeKeyResponse, RevokeKeyResponse__Output as _lockstep_v1_RevokeKeyResponse__Output } from '../../lockstep/v1/RevokeKeyResponse.ts';
import type { SetDeviceRequest as _lockstep_v1_SetDeviceRequest, SetDeviceRequest__Output as _lockstep_v1_SetDeviceRequest__Output } from '../../lockstep/v1/SetDeviceRequest.ts';
import type { SetDeviceResponse as _lockstep_v1_SetDeviceResponse, SetDeviceResponse__Output as _lockstep_v1_SetDeviceResponse__Output } from '../../lockstep/v1/SetDeviceResponse.ts';
import type { SetRepositoryRequest as _lockstep_v1_SetRepositoryRequest, SetRepositoryRequest__Output as _lockstep_v1_SetRepositoryRequest__Output } from '../../lockstep/v1/SetRepositoryRequest.ts';
import type { SetRepositoryResponse as _lockstep_v1_SetRepositoryResponse, SetRepositoryResponse__Output as _lockstep_v1_SetRepositoryResponse__Output } from '../../lockstep/v1/SetRepositoryResponse.ts';
import type { SetRetentionRequest as _lockstep_v1_SetRetentionRequest, SetRetentionRequest__Output as _lockstep_v1_SetRetentionRequest__Output } from '../../lockstep/v1/SetRetentionRequest.ts';
import type { SetRetentionResponse as _lockstep_v1_SetRetentionResponse, SetRetentionResponse__Output as _lockstep_v1_SetRetentionResponse__Output } from '../../lockstep/v1/SetRetentionResponse.ts';
import type { StopWritesRequest as _lockstep_v1_StopWritesRequest, StopWritesRequest__Output as _lockstep_v1_StopWritesRequest__Output } from '../../lockstep/v1/StopWritesRequest.ts';
import type { StopWritesResponse as _lockstep_v1_StopWritesResponse, StopWritesResponse__Output as _lockstep_v1_StopWritesResponse__Output } from '../../lockstep/v1/StopWritesResponse.ts';
import type { ThawRequest as _lockstep_v1_ThawRequest, ThawRequest__Output as _lockstep_v1_ThawRequest__Output } from '../../lockstep/v1/ThawRequest.ts';
import type { ThawResponse as _lockstep_v1_ThawResponse, ThawResponse__Output as _lockstep_v1_ThawResponse__Output } from '../../lockstep/v1/ThawResponse.ts';
import type { TrustKeyRequest as _lockstep_v1_TrustKeyRequest, TrustKeyRequest__Output as _lockstep_v1_TrustKeyRequest__Output } from '../../lockstep/v1/TrustKeyRequest.ts';
import type { TrustKeyResponse as _lockstep_v1_TrustKeyResponse, TrustKeyResponse__Output as _lockstep_v1_TrustKeyResponse__Output } from '../../lockstep/v1/TrustKeyResponse.ts';
import type { UndoVersionRequest as _lockstep_v1_UndoVersionRequest, UndoVersionRequest__Output as _lockstep_v1_UndoVersionRequest__Output } from '../../lockstep/v1/UndoVersionRequest.ts';
import type { UndoVersionResponse as _lockstep_v1_UndoVersionResponse, UndoVersionResponse__Output as _lockstep_v1_UndoVersionResponse__Output } from '../../lockstep/v1/UndoVersionResponse.ts';
import type { UndrainDeviceRequest as _lockstep_v1_UndrainDeviceRequest, UndrainDeviceRequest__Output as _lockstep_v1_UndrainDeviceRequest__Output } from '../../lockstep/v1/UndrainDeviceRequest.ts';
import type { UndrainDeviceResponse as _lockstep_v1_UndrainDeviceResponse, UndrainDeviceResponse__Output as _lockstep_v1_UndrainDeviceResponse__Output } from '../../lockstep/v1/UndrainDeviceResponse.ts';
import type { VerifyAuditRequest as _lockstep_v1_VerifyAuditRequest, VerifyAuditRequest__Output as _lockstep_v1_VerifyAuditRequest__Output } from '../../lockstep/v1/VerifyAuditRequest.ts';
import type { VerifyAuditResponse as _lockstep_v1_VerifyAuditResponse, VerifyAuditResponse__Output as _lockstep_v1_VerifyAuditResponse__Output } from '../../lockstep/v1/VerifyAuditResponse.ts';
import type { VerifyReplicaRequest as _lockstep_v1_VerifyReplicaRequest, VerifyReplicaRequest__Output as _lockstep_v1_VerifyReplicaRequest__Output } from '../../lockstep/v1/VerifyReplicaRequest.ts';
import type { VerifyReplicaResponse as _lockstep_v1_VerifyReplicaResponse, VerifyReplicaResponse__Output as _lockstep_v1_VerifyReplicaResponse__Output } from '../../lockstep/v1/VerifyReplicaResponse.ts';
import type { WatchCommandsRequest as _lockstep_v1_WatchCommandsRequest, WatchCommandsRequest__Output as _lockstep_v1_WatchCommandsRequest__Output } from '../../lockstep/v1/WatchCommandsRequest.ts';
import type { WatchCommandsResponse as _lockstep_v1_WatchCommandsResponse, WatchCommandsResponse__Output as _lockstep_v1_WatchCommandsResponse__Output } from '../../lockstep/v1/WatchCommandsResponse.ts';
import type { WatchRequest as _lockstep_v1_WatchRequest, WatchRequest__Output as _lockstep_v1_WatchRequest__Output } from '../../lockstep/v1/WatchRequest.ts';
import type { WatchResponse as _lockstep_v1_WatchResponse, WatchResponse__Output as _lockstep_v1_WatchResponse__Output } from '../../lockstep/v1/WatchResponse.ts';

export interface ClusterServiceClient extends grpc.Client {
  AddHook(argument: _lockstep_v1_AddHookRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_AddHookResponse__Output>): grpc.ClientUnaryCall;
  AddHook(argument: _lockstep_v1_AddHookRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_AddHookResponse__Output>): grpc.ClientUnaryCall;
  AddHook(argument: _lockstep_v1_AddHookRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_AddHookResponse__Output>): grpc.ClientUnaryCall;
  AddHook(argument: _lockstep_v1_AddHookRequest, callback: grpc.requestCallback<_lockstep_v1_AddHookResponse__Output>): grpc.ClientUnaryCall;
  addHook(argument: _lockstep_v1_AddHookRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_AddHookResponse__Output>): grpc.ClientUnaryCall;
  addHook(argument: _lockstep_v1_AddHookRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_AddHookResponse__Output>): grpc.ClientUnaryCall;
  addHook(argument: _lockstep_v1_AddHookRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_AddHookResponse__Output>): grpc.ClientUnaryCall;
  addHook(argument: _lockstep_v1_AddHookRequest, callback: grpc.requestCallback<_lockstep_v1_AddHookResponse__Output>): grpc.ClientUnaryCall;
  
  AdoptRepositories(argument: _lockstep_v1_AdoptRepositoriesRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_AdoptRepositoriesResponse__Output>;
  AdoptRepositories(argument: _lockstep_v1_AdoptRepositoriesRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_AdoptRepositoriesResponse__Output>;
  adoptRepositories(argument: _lockstep_v1_AdoptRepositoriesRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_AdoptRepositoriesResponse__Output>;
  adoptRepositories(argument: _lockstep_v1_AdoptRepositoriesRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_AdoptRepositoriesResponse__Output>;
  
  AllowWrites(argument: _lockstep_v1_AllowWritesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_AllowWritesResponse__Output>): grpc.ClientUnaryCall;
  AllowWrites(argument: _lockstep_v1_AllowWritesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_AllowWritesResponse__Output>): grpc.ClientUnaryCall;
  AllowWrites(argument: _lockstep_v1_AllowWritesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_AllowWritesResponse__Output>): grpc.ClientUnaryCall;
  AllowWrites(argument: _lockstep_v1_AllowWritesRequest, callback: grpc.requestCallback<_lockstep_v1_AllowWritesResponse__Output>): grpc.ClientUnaryCall;
  allowWrites(argument: _lockstep_v1_AllowWritesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_AllowWritesResponse__Output>): grpc.ClientUnaryCall;
  allowWrites(argument: _lockstep_v1_AllowWritesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_AllowWritesResponse__Output>): grpc.ClientUnaryCall;
  allowWrites(argument: _lockstep_v1_AllowWritesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_AllowWritesResponse__Output>): grpc.ClientUnaryCall;
  allowWrites(argument: _lockstep_v1_AllowWritesRequest, callback: grpc.requestCallback<_lockstep_v1_AllowWritesResponse__Output>): grpc.ClientUnaryCall;
  
  CreateRepository(argument: _lockstep_v1_CreateRepositoryRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_CreateRepositoryResponse__Output>): grpc.ClientUnaryCall;
  CreateRepository(argument: _lockstep_v1_CreateRepositoryRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_CreateRepositoryResponse__Output>): grpc.ClientUnaryCall;
  CreateRepository(argument: _lockstep_v1_CreateRepositoryRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_CreateRepositoryResponse__Output>): grpc.ClientUnaryCall;
  CreateRepository(argument: _lockstep_v1_CreateRepositoryRequest, callback: grpc.requestCallback<_lockstep_v1_CreateRepositoryResponse__Output>): grpc.ClientUnaryCall;
  createRepository(argument: _lockstep_v1_CreateRepositoryRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_CreateRepositoryResponse__Output>): grpc.ClientUnaryCall;
  createRepository(argument: _lockstep_v1_CreateRepositoryRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_CreateRepositoryResponse__Output>): grpc.ClientUnaryCall;
  createRepository(argument: _lockstep_v1_CreateRepositoryRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_CreateRepositoryResponse__Output>): grpc.ClientUnaryCall;
  createRepository(argument: _lockstep_v1_CreateRepositoryRequest, callback: grpc.requestCallback<_lockstep_v1_CreateRepositoryResponse__Output>): grpc.ClientUnaryCall;
  
  DrainDevice(argument: _lockstep_v1_DrainDeviceRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_DrainDeviceResponse__Output>): grpc.ClientUnaryCall;
  DrainDevice(argument: _lockstep_v1_DrainDeviceRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_DrainDeviceResponse__Output>): grpc.ClientUnaryCall;
  DrainDevice(argument: _lockstep_v1_DrainDeviceRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_DrainDeviceResponse__Output>): grpc.ClientUnaryCall;
  DrainDevice(argument: _lockstep_v1_DrainDeviceRequest, callback: grpc.requestCallback<_lockstep_v1_DrainDeviceResponse__Output>): grpc.ClientUnaryCall;
  drainDevice(argument: _lockstep_v1_DrainDeviceRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_DrainDeviceResponse__Output>): grpc.ClientUnaryCall;
  drainDevice(argument: _lockstep_v1_DrainDeviceRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_DrainDeviceResponse__Output>): grpc.ClientUnaryCall;
  drainDevice(argument: _lockstep_v1_DrainDeviceRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_DrainDeviceResponse__Output>): grpc.ClientUnaryCall;
  drainDevice(argument: _lockstep_v1_DrainDeviceRequest, callback: grpc.requestCallback<_lockstep_v1_DrainDeviceResponse__Output>): grpc.ClientUnaryCall;
  
  EnqueueCommand(argument: _lockstep_v1_EnqueueCommandRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_EnqueueCommandResponse__Output>): grpc.ClientUnaryCall;
  EnqueueCommand(argument: _lockstep_v1_EnqueueCommandRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_EnqueueCommandResponse__Output>): grpc.ClientUnaryCall;
  EnqueueCommand(argument: _lockstep_v1_EnqueueCommandRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_EnqueueCommandResponse__Output>): grpc.ClientUnaryCall;
  EnqueueCommand(argument: _lockstep_v1_EnqueueCommandRequest, callback: grpc.requestCallback<_lockstep_v1_EnqueueCommandResponse__Output>): grpc.ClientUnaryCall;
  enqueueCommand(argument: _lockstep_v1_EnqueueCommandRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_EnqueueCommandResponse__Output>): grpc.ClientUnaryCall;
  enqueueCommand(argument: _lockstep_v1_EnqueueCommandRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_EnqueueCommandResponse__Output>): grpc.ClientUnaryCall;
  enqueueCommand(argument: _lockstep_v1_EnqueueCommandRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_EnqueueCommandResponse__Output>): grpc.ClientUnaryCall;
  enqueueCommand(argument: _lockstep_v1_EnqueueCommandRequest, callback: grpc.requestCallback<_lockstep_v1_EnqueueCommandResponse__Output>): grpc.ClientUnaryCall;
  
  FindSshWay(argument: _lockstep_v1_FindSshWayRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_FindSshWayResponse__Output>): grpc.ClientUnaryCall;
  FindSshWay(argument: _lockstep_v1_FindSshWayRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_FindSshWayResponse__Output>): grpc.ClientUnaryCall;
  FindSshWay(argument: _lockstep_v1_FindSshWayRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_FindSshWayResponse__Output>): grpc.ClientUnaryCall;
  FindSshWay(argument: _lockstep_v1_FindSshWayRequest, callback: grpc.requestCallback<_lockstep_v1_FindSshWayResponse__Output>): grpc.ClientUnaryCall;
  findSshWay(argument: _lockstep_v1_FindSshWayRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_FindSshWayResponse__Output>): grpc.ClientUnaryCall;
  findSshWay(argument: _lockstep_v1_FindSshWayRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_FindSshWayResponse__Output>): grpc.ClientUnaryCall;
  findSshWay(argument: _lockstep_v1_FindSshWayRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_FindSshWayResponse__Output>): grpc.ClientUnaryCall;
  findSshWay(argument: _lockstep_v1_FindSshWayRequest, callback: grpc.requestCallback<_lockstep_v1_FindSshWayResponse__Output>): grpc.ClientUnaryCall;
  
  GetCommand(argument: _lockstep_v1_GetCommandRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetCommandResponse__Output>): grpc.ClientUnaryCall;
  GetCommand(argument: _lockstep_v1_GetCommandRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_GetCommandResponse__Output>): grpc.ClientUnaryCall;
  GetCommand(argument: _lockstep_v1_GetCommandRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetCommandResponse__Output>): grpc.ClientUnaryCall;
  GetCommand(argument: _lockstep_v1_GetCommandRequest, callback: grpc.requestCallback<_lockstep_v1_GetCommandResponse__Output>): grpc.ClientUnaryCall;
  getCommand(argument: _lockstep_v1_GetCommandRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetCommandResponse__Output>): grpc.ClientUnaryCall;
  getCommand(argument: _lockstep_v1_GetCommandRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_GetCommandResponse__Output>): grpc.ClientUnaryCall;
  getCommand(argument: _lockstep_v1_GetCommandRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetCommandResponse__Output>): grpc.ClientUnaryCall;
  getCommand(argument: _lockstep_v1_GetCommandRequest, callback: grpc.requestCallback<_lockstep_v1_GetCommandResponse__Output>): grpc.ClientUnaryCall;
  
  GetDevice(argument: _lockstep_v1_GetDeviceRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetDeviceResponse__Output>): grpc.ClientUnaryCall;
  GetDevice(argument: _lockstep_v1_GetDeviceRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_GetDeviceResponse__Output>): grpc.ClientUnaryCall;
  GetDevice(argument: _lockstep_v1_GetDeviceRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetDeviceResponse__Output>): grpc.ClientUnaryCall;
  GetDevice(argument: _lockstep_v1_GetDeviceRequest, callback: grpc.requestCallback<_lockstep_v1_GetDeviceResponse__Output>): grpc.ClientUnaryCall;
  getDevice(argument: _lockstep_v1_GetDeviceRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetDeviceResponse__Output>): grpc.ClientUnaryCall;
  getDevice(argument: _lockstep_v1_GetDeviceRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_GetDeviceResponse__Output>): grpc.ClientUnaryCall;
  getDevice(argument: _lockstep_v1_GetDeviceRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetDeviceResponse__Output>): grpc.ClientUnaryCall;
  getDevice(argument: _lockstep_v1_GetDeviceRequest, callback: grpc.requestCallback<_lockstep_v1_GetDeviceResponse__Output>): grpc.ClientUnaryCall;
  
  GetRepository(argument: _lockstep_v1_GetRepositoryRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  GetRepository(argument: _lockstep_v1_GetRepositoryRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_GetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  GetRepository(argument: _lockstep_v1_GetRepositoryRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  GetRepository(argument: _lockstep_v1_GetRepositoryRequest, callback: grpc.requestCallback<_lockstep_v1_GetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  getRepository(argument: _lockstep_v1_GetRepositoryRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  getRepository(argument: _lockstep_v1_GetRepositoryRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_GetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  getRepository(argument: _lockstep_v1_GetRepositoryRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  getRepository(argument: _lockstep_v1_GetRepositoryRequest, callback: grpc.requestCallback<_lockstep_v1_GetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  
  GetRetention(argument: _lockstep_v1_GetRetentionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetRetentionResponse__Output>): grpc.ClientUnaryCall;
  GetRetention(argument: _lockstep_v1_GetRetentionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_GetRetentionResponse__Output>): grpc.ClientUnaryCall;
  GetRetention(argument: _lockstep_v1_GetRetentionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetRetentionResponse__Output>): grpc.ClientUnaryCall;
  GetRetention(argument: _lockstep_v1_GetRetentionRequest, callback: grpc.requestCallback<_lockstep_v1_GetRetentionResponse__Output>): grpc.ClientUnaryCall;
  getRetention(argument: _lockstep_v1_GetRetentionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetRetentionResponse__Output>): grpc.ClientUnaryCall;
  getRetention(argument: _lockstep_v1_GetRetentionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_GetRetentionResponse__Output>): grpc.ClientUnaryCall;
  getRetention(argument: _lockstep_v1_GetRetentionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetRetentionResponse__Output>): grpc.ClientUnaryCall;
  getRetention(argument: _lockstep_v1_GetRetentionRequest, callback: grpc.requestCallback<_lockstep_v1_GetRetentionResponse__Output>): grpc.ClientUnaryCall;
  
  GetStatus(argument: _lockstep_v1_GetStatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _lockstep_v1_GetStatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _lockstep_v1_GetStatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _lockstep_v1_GetStatusRequest, callback: grpc.requestCallback<_lockstep_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _lockstep_v1_GetStatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _lockstep_v1_GetStatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _lockstep_v1_GetStatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _lockstep_v1_GetStatusRequest, callback: grpc.requestCallback<_lockstep_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  
  ListAudit(argument: _lockstep_v1_ListAuditRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListAuditResponse__Output>): grpc.ClientUnaryCall;
  ListAudit(argument: _lockstep_v1_ListAuditRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListAuditResponse__Output>): grpc.ClientUnaryCall;
  ListAudit(argument: _lockstep_v1_ListAuditRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListAuditResponse__Output>): grpc.ClientUnaryCall;
  ListAudit(argument: _lockstep_v1_ListAuditRequest, callback: grpc.requestCallback<_lockstep_v1_ListAuditResponse__Output>): grpc.ClientUnaryCall;
  listAudit(argument: _lockstep_v1_ListAuditRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListAuditResponse__Output>): grpc.ClientUnaryCall;
  listAudit(argument: _lockstep_v1_ListAuditRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListAuditResponse__Output>): grpc.ClientUnaryCall;
  listAudit(argument: _lockstep_v1_ListAuditRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListAuditResponse__Output>): grpc.ClientUnaryCall;
  listAudit(argument: _lockstep_v1_ListAuditRequest, callback: grpc.requestCallback<_lockstep_v1_ListAuditResponse__Output>): grpc.ClientUnaryCall;
  
  ListAuthorizedKeys(argument: _lockstep_v1_ListAuthorizedKeysRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListAuthorizedKeysResponse__Output>): grpc.ClientUnaryCall;
  ListAuthorizedKeys(argument: _lockstep_v1_ListAuthorizedKeysRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListAuthorizedKeysResponse__Output>): grpc.ClientUnaryCall;
  ListAuthorizedKeys(argument: _lockstep_v1_ListAuthorizedKeysRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListAuthorizedKeysResponse__Output>): grpc.ClientUnaryCall;
  ListAuthorizedKeys(argument: _lockstep_v1_ListAuthorizedKeysRequest, callback: grpc.requestCallback<_lockstep_v1_ListAuthorizedKeysResponse__Output>): grpc.ClientUnaryCall;
  listAuthorizedKeys(argument: _lockstep_v1_ListAuthorizedKeysRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListAuthorizedKeysResponse__Output>): grpc.ClientUnaryCall;
  listAuthorizedKeys(argument: _lockstep_v1_ListAuthorizedKeysRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListAuthorizedKeysResponse__Output>): grpc.ClientUnaryCall;
  listAuthorizedKeys(argument: _lockstep_v1_ListAuthorizedKeysRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListAuthorizedKeysResponse__Output>): grpc.ClientUnaryCall;
  listAuthorizedKeys(argument: _lockstep_v1_ListAuthorizedKeysRequest, callback: grpc.requestCallback<_lockstep_v1_ListAuthorizedKeysResponse__Output>): grpc.ClientUnaryCall;
  
  ListCommands(argument: _lockstep_v1_ListCommandsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListCommandsResponse__Output>): grpc.ClientUnaryCall;
  ListCommands(argument: _lockstep_v1_ListCommandsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListCommandsResponse__Output>): grpc.ClientUnaryCall;
  ListCommands(argument: _lockstep_v1_ListCommandsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListCommandsResponse__Output>): grpc.ClientUnaryCall;
  ListCommands(argument: _lockstep_v1_ListCommandsRequest, callback: grpc.requestCallback<_lockstep_v1_ListCommandsResponse__Output>): grpc.ClientUnaryCall;
  listCommands(argument: _lockstep_v1_ListCommandsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListCommandsResponse__Output>): grpc.ClientUnaryCall;
  listCommands(argument: _lockstep_v1_ListCommandsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListCommandsResponse__Output>): grpc.ClientUnaryCall;
  listCommands(argument: _lockstep_v1_ListCommandsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListCommandsResponse__Output>): grpc.ClientUnaryCall;
  listCommands(argument: _lockstep_v1_ListCommandsRequest, callback: grpc.requestCallback<_lockstep_v1_ListCommandsResponse__Output>): grpc.ClientUnaryCall;
  
  ListDevices(argument: _lockstep_v1_ListDevicesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListDevicesResponse__Output>): grpc.ClientUnaryCall;
  ListDevices(argument: _lockstep_v1_ListDevicesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListDevicesResponse__Output>): grpc.ClientUnaryCall;
  ListDevices(argument: _lockstep_v1_ListDevicesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListDevicesResponse__Output>): grpc.ClientUnaryCall;
  ListDevices(argument: _lockstep_v1_ListDevicesRequest, callback: grpc.requestCallback<_lockstep_v1_ListDevicesResponse__Output>): grpc.ClientUnaryCall;
  listDevices(argument: _lockstep_v1_ListDevicesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListDevicesResponse__Output>): grpc.ClientUnaryCall;
  listDevices(argument: _lockstep_v1_ListDevicesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListDevicesResponse__Output>): grpc.ClientUnaryCall;
  listDevices(argument: _lockstep_v1_ListDevicesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListDevicesResponse__Output>): grpc.ClientUnaryCall;
  listDevices(argument: _lockstep_v1_ListDevicesRequest, callback: grpc.requestCallback<_lockstep_v1_ListDevicesResponse__Output>): grpc.ClientUnaryCall;
  
  ListHooks(argument: _lockstep_v1_ListHooksRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListHooksResponse__Output>): grpc.ClientUnaryCall;
  ListHooks(argument: _lockstep_v1_ListHooksRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListHooksResponse__Output>): grpc.ClientUnaryCall;
  ListHooks(argument: _lockstep_v1_ListHooksRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListHooksResponse__Output>): grpc.ClientUnaryCall;
  ListHooks(argument: _lockstep_v1_ListHooksRequest, callback: grpc.requestCallback<_lockstep_v1_ListHooksResponse__Output>): grpc.ClientUnaryCall;
  listHooks(argument: _lockstep_v1_ListHooksRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListHooksResponse__Output>): grpc.ClientUnaryCall;
  listHooks(argument: _lockstep_v1_ListHooksRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListHooksResponse__Output>): grpc.ClientUnaryCall;
  listHooks(argument: _lockstep_v1_ListHooksRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListHooksResponse__Output>): grpc.ClientUnaryCall;
  listHooks(argument: _lockstep_v1_ListHooksRequest, callback: grpc.requestCallback<_lockstep_v1_ListHooksResponse__Output>): grpc.ClientUnaryCall;
  
  ListIdentities(argument: _lockstep_v1_ListIdentitiesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListIdentitiesResponse__Output>): grpc.ClientUnaryCall;
  ListIdentities(argument: _lockstep_v1_ListIdentitiesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListIdentitiesResponse__Output>): grpc.ClientUnaryCall;
  ListIdentities(argument: _lockstep_v1_ListIdentitiesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListIdentitiesResponse__Output>): grpc.ClientUnaryCall;
  ListIdentities(argument: _lockstep_v1_ListIdentitiesRequest, callback: grpc.requestCallback<_lockstep_v1_ListIdentitiesResponse__Output>): grpc.ClientUnaryCall;
  listIdentities(argument: _lockstep_v1_ListIdentitiesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListIdentitiesResponse__Output>): grpc.ClientUnaryCall;
  listIdentities(argument: _lockstep_v1_ListIdentitiesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListIdentitiesResponse__Output>): grpc.ClientUnaryCall;
  listIdentities(argument: _lockstep_v1_ListIdentitiesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListIdentitiesResponse__Output>): grpc.ClientUnaryCall;
  listIdentities(argument: _lockstep_v1_ListIdentitiesRequest, callback: grpc.requestCallback<_lockstep_v1_ListIdentitiesResponse__Output>): grpc.ClientUnaryCall;
  
  ListLog(argument: _lockstep_v1_ListLogRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListLogResponse__Output>): grpc.ClientUnaryCall;
  ListLog(argument: _lockstep_v1_ListLogRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListLogResponse__Output>): grpc.ClientUnaryCall;
  ListLog(argument: _lockstep_v1_ListLogRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListLogResponse__Output>): grpc.ClientUnaryCall;
  ListLog(argument: _lockstep_v1_ListLogRequest, callback: grpc.requestCallback<_lockstep_v1_ListLogResponse__Output>): grpc.ClientUnaryCall;
  listLog(argument: _lockstep_v1_ListLogRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListLogResponse__Output>): grpc.ClientUnaryCall;
  listLog(argument: _lockstep_v1_ListLogRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListLogResponse__Output>): grpc.ClientUnaryCall;
  listLog(argument: _lockstep_v1_ListLogRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListLogResponse__Output>): grpc.ClientUnaryCall;
  listLog(argument: _lockstep_v1_ListLogRequest, callback: grpc.requestCallback<_lockstep_v1_ListLogResponse__Output>): grpc.ClientUnaryCall;
  
  ListPulls(argument: _lockstep_v1_ListPullsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListPullsResponse__Output>): grpc.ClientUnaryCall;
  ListPulls(argument: _lockstep_v1_ListPullsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListPullsResponse__Output>): grpc.ClientUnaryCall;
  ListPulls(argument: _lockstep_v1_ListPullsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListPullsResponse__Output>): grpc.ClientUnaryCall;
  ListPulls(argument: _lockstep_v1_ListPullsRequest, callback: grpc.requestCallback<_lockstep_v1_ListPullsResponse__Output>): grpc.ClientUnaryCall;
  listPulls(argument: _lockstep_v1_ListPullsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListPullsResponse__Output>): grpc.ClientUnaryCall;
  listPulls(argument: _lockstep_v1_ListPullsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListPullsResponse__Output>): grpc.ClientUnaryCall;
  listPulls(argument: _lockstep_v1_ListPullsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListPullsResponse__Output>): grpc.ClientUnaryCall;
  listPulls(argument: _lockstep_v1_ListPullsRequest, callback: grpc.requestCallback<_lockstep_v1_ListPullsResponse__Output>): grpc.ClientUnaryCall;
  
  ListPushes(argument: _lockstep_v1_ListPushesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListPushesResponse__Output>): grpc.ClientUnaryCall;
  ListPushes(argument: _lockstep_v1_ListPushesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListPushesResponse__Output>): grpc.ClientUnaryCall;
  ListPushes(argument: _lockstep_v1_ListPushesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListPushesResponse__Output>): grpc.ClientUnaryCall;
  ListPushes(argument: _lockstep_v1_ListPushesRequest, callback: grpc.requestCallback<_lockstep_v1_ListPushesResponse__Output>): grpc.ClientUnaryCall;
  listPushes(argument: _lockstep_v1_ListPushesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListPushesResponse__Output>): grpc.ClientUnaryCall;
  listPushes(argument: _lockstep_v1_ListPushesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListPushesResponse__Output>): grpc.ClientUnaryCall;
  listPushes(argument: _lockstep_v1_ListPushesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListPushesResponse__Output>): grpc.ClientUnaryCall;
  listPushes(argument: _lockstep_v1_ListPushesRequest, callback: grpc.requestCallback<_lockstep_v1_ListPushesResponse__Output>): grpc.ClientUnaryCall;
  
  ListRemovedRepositories(argument: _lockstep_v1_ListRemovedRepositoriesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListRemovedRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  ListRemovedRepositories(argument: _lockstep_v1_ListRemovedRepositoriesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListRemovedRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  ListRemovedRepositories(argument: _lockstep_v1_ListRemovedRepositoriesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListRemovedRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  ListRemovedRepositories(argument: _lockstep_v1_ListRemovedRepositoriesRequest, callback: grpc.requestCallback<_lockstep_v1_ListRemovedRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  listRemovedRepositories(argument: _lockstep_v1_ListRemovedRepositoriesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListRemovedRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  listRemovedRepositories(argument: _lockstep_v1_ListRemovedRepositoriesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListRemovedRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  listRemovedRepositories(argument: _lockstep_v1_ListRemovedRepositoriesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListRemovedRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  listRemovedRepositories(argument: _lockstep_v1_ListRemovedRepositoriesRequest, callback: grpc.requestCallback<_lockstep_v1_ListRemovedRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  
  ListRepositories(argument: _lockstep_v1_ListRepositoriesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  ListRepositories(argument: _lockstep_v1_ListRepositoriesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  ListRepositories(argument: _lockstep_v1_ListRepositoriesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  ListRepositories(argument: _lockstep_v1_ListRepositoriesRequest, callback: grpc.requestCallback<_lockstep_v1_ListRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  listRepositories(argument: _lockstep_v1_ListRepositoriesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  listRepositories(argument: _lockstep_v1_ListRepositoriesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  listRepositories(argument: _lockstep_v1_ListRepositoriesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  listRepositories(argument: _lockstep_v1_ListRepositoriesRequest, callback: grpc.requestCallback<_lockstep_v1_ListRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  
  ListSyncs(argument: _lockstep_v1_ListSyncsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListSyncsResponse__Output>): grpc.ClientUnaryCall;
  ListSyncs(argument: _lockstep_v1_ListSyncsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListSyncsResponse__Output>): grpc.ClientUnaryCall;
  ListSyncs(argument: _lockstep_v1_ListSyncsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListSyncsResponse__Output>): grpc.ClientUnaryCall;
  ListSyncs(argument: _lockstep_v1_ListSyncsRequest, callback: grpc.requestCallback<_lockstep_v1_ListSyncsResponse__Output>): grpc.ClientUnaryCall;
  listSyncs(argument: _lockstep_v1_ListSyncsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListSyncsResponse__Output>): grpc.ClientUnaryCall;
  listSyncs(argument: _lockstep_v1_ListSyncsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListSyncsResponse__Output>): grpc.ClientUnaryCall;
  listSyncs(argument: _lockstep_v1_ListSyncsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListSyncsResponse__Output>): grpc.ClientUnaryCall;
  listSyncs(argument: _lockstep_v1_ListSyncsRequest, callback: grpc.requestCallback<_lockstep_v1_ListSyncsResponse__Output>): grpc.ClientUnaryCall;
  
  ListThawable(argument: _lockstep_v1_ListThawableRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListThawableResponse__Output>): grpc.ClientUnaryCall;
  ListThawable(argument: _lockstep_v1_ListThawableRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListThawableResponse__Output>): grpc.ClientUnaryCall;
  ListThawable(argument: _lockstep_v1_ListThawableRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListThawableResponse__Output>): grpc.ClientUnaryCall;
  ListThawable(argument: _lockstep_v1_ListThawableRequest, callback: grpc.requestCallback<_lockstep_v1_ListThawableResponse__Output>): grpc.ClientUnaryCall;
  listThawable(argument: _lockstep_v1_ListThawableRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListThawableResponse__Output>): grpc.ClientUnaryCall;
  listThawable(argument: _lockstep_v1_ListThawableRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListThawableResponse__Output>): grpc.ClientUnaryCall;
  listThawable(argument: _lockstep_v1_ListThawableRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListThawableResponse__Output>): grpc.ClientUnaryCall;
  listThawable(argument: _lockstep_v1_ListThawableRequest, callback: grpc.requestCallback<_lockstep_v1_ListThawableResponse__Output>): grpc.ClientUnaryCall;
  
  MakeEnrollToken(argument: _lockstep_v1_MakeEnrollTokenRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_MakeEnrollTokenResponse__Output>): grpc.ClientUnaryCall;
  MakeEnrollToken(argument: _lockstep_v1_MakeEnrollTokenRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_MakeEnrollTokenResponse__Output>): grpc.ClientUnaryCall;
  MakeEnrollToken(argument: _lockstep_v1_MakeEnrollTokenRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_MakeEnrollTokenResponse__Output>): grpc.ClientUnaryCall;
  MakeEnrollToken(argument: _lockstep_v1_MakeEnrollTokenRequest, callback: grpc.requestCallback<_lockstep_v1_MakeEnrollTokenResponse__Output>): grpc.ClientUnaryCall;
  makeEnrollToken(argument: _lockstep_v1_MakeEnrollTokenRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_MakeEnrollTokenResponse__Output>): grpc.ClientUnaryCall;
  makeEnrollToken(argument: _lockstep_v1_MakeEnrollTokenRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_MakeEnrollTokenResponse__Output>): grpc.ClientUnaryCall;
  makeEnrollToken(argument: _lockstep_v1_MakeEnrollTokenRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_MakeEnrollTokenResponse__Output>): grpc.ClientUnaryCall;
  makeEnrollToken(argument: _lockstep_v1_MakeEnrollTokenRequest, callback: grpc.requestCallback<_lockstep_v1_MakeEnrollTokenResponse__Output>): grpc.ClientUnaryCall;
  
  RemoveDevice(argument: _lockstep_v1_RemoveDeviceRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RemoveDeviceResponse__Output>): grpc.ClientUnaryCall;
  RemoveDevice(argument: _lockstep_v1_RemoveDeviceRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_RemoveDeviceResponse__Output>): grpc.ClientUnaryCall;
  RemoveDevice(argument: _lockstep_v1_RemoveDeviceRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RemoveDeviceResponse__Output>): grpc.ClientUnaryCall;
  RemoveDevice(argument: _lockstep_v1_RemoveDeviceRequest, callback: grpc.requestCallback<_lockstep_v1_RemoveDeviceResponse__Output>): grpc.ClientUnaryCall;
  removeDevice(argument: _lockstep_v1_RemoveDeviceRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RemoveDeviceResponse__Output>): grpc.ClientUnaryCall;
  removeDevice(argument: _lockstep_v1_RemoveDeviceRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_RemoveDeviceResponse__Output>): grpc.ClientUnaryCall;
  removeDevice(argument: _lockstep_v1_RemoveDeviceRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RemoveDeviceResponse__Output>): grpc.ClientUnaryCall;
  removeDevice(argument: _lockstep_v1_RemoveDeviceRequest, callback: grpc.requestCallback<_lockstep_v1_RemoveDeviceResponse__Output>): grpc.ClientUnaryCall;
  
  RemoveHook(argument: _lockstep_v1_RemoveHookRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RemoveHookResponse__Output>): grpc.ClientUnaryCall;
  RemoveHook(argument: _lockstep_v1_RemoveHookRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_RemoveHookResponse__Output>): grpc.ClientUnaryCall;
  RemoveHook(argument: _lockstep_v1_RemoveHookRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RemoveHookResponse__Output>): grpc.ClientUnaryCall;
  RemoveHook(argument: _lockstep_v1_RemoveHookRequest, callback: grpc.requestCallback<_lockstep_v1_RemoveHookResponse__Output>): grpc.ClientUnaryCall;
  removeHook(argument: _lockstep_v1_RemoveHookRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RemoveHookResponse__Output>): grpc.ClientUnaryCall;
  removeHook(argument: _lockstep_v1_RemoveHookRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_RemoveHookResponse__Output>): grpc.ClientUnaryCall;
  removeHook(argument: _lockstep_v1_RemoveHookRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RemoveHookResponse__Output>): grpc.ClientUnaryCall;
  removeHook(argument: _lockstep_v1_RemoveHookRequest, callback: grpc.requestCallback<_lockstep_v1_RemoveHookResponse__Output>): grpc.ClientUnaryCall;
  
  RemoveRepository(argument: _lockstep_v1_RemoveRepositoryRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RemoveRepositoryResponse__Output>): grpc.ClientUnaryCall;
  RemoveRepository(argument: _lockstep_v1_RemoveRepositoryRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_RemoveRepositoryResponse__Output>): grpc.ClientUnaryCall;
  RemoveRepository(argument: _lockstep_v1_RemoveRepositoryRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RemoveRepositoryResponse__Output>): grpc.ClientUnaryCall;
  RemoveRepository(argument: _lockstep_v1_RemoveRepositoryRequest, callback: grpc.requestCallback<_lockstep_v1_RemoveRepositoryResponse__Output>): grpc.ClientUnaryCall;
  removeRepository(argument: _lockstep_v1_RemoveRepositoryRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RemoveRepositoryResponse__Output>): grpc.ClientUnaryCall;
  removeRepository(argument: _lockstep_v1_RemoveRepositoryRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_RemoveRepositoryResponse__Output>): grpc.ClientUnaryCall;
  removeRepository(argument: _lockstep_v1_RemoveRepositoryRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RemoveRepositoryResponse__Output>): grpc.ClientUnaryCall;
  removeRepository(argument: _lockstep_v1_RemoveRepositoryRequest, callback: grpc.requestCallback<_lockstep_v1_RemoveRepositoryResponse__Output>): grpc.ClientUnaryCall;
  
  RenameRepository(argument: _lockstep_v1_RenameRepositoryRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RenameRepositoryResponse__Output>): grpc.ClientUnaryCall;
  RenameRepository(argument: _lockstep_v1_RenameRepositoryRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_RenameRepositoryResponse__Output>): grpc.ClientUnaryCall;
  RenameRepository(argument: _lockstep_v1_RenameRepositoryRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RenameRepositoryResponse__Output>): grpc.ClientUnaryCall;
  RenameRepository(argument: _lockstep_v1_RenameRepositoryRequest, callback: grpc.requestCallback<_lockstep_v1_RenameRepositoryResponse__Output>): grpc.ClientUnaryCall;
  renameRepository(argument: _lockstep_v1_RenameRepositoryRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RenameRepositoryResponse__Output>): grpc.ClientUnaryCall;
  renameRepository(argument: _lockstep_v1_RenameRepositoryRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_RenameRepositoryResponse__Output>): grpc.ClientUnaryCall;
  renameRepository(argument: _lockstep_v1_RenameRepositoryRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RenameRepositoryResponse__Output>): grpc.ClientUnaryCall;
  renameRepository(argument: _lockstep_v1_RenameRepositoryRequest, callback: grpc.requestCallback<_lockstep_v1_RenameRepositoryResponse__Output>): grpc.ClientUnaryCall;
  
  ReportDamage(argument: _lockstep_v1_ReportDamageRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ReportDamageResponse__Output>): grpc.ClientUnaryCall;
  ReportDamage(argument: _lockstep_v1_ReportDamageRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ReportDamageResponse__Output>): grpc.ClientUnaryCall;
  ReportDamage(argument: _lockstep_v1_ReportDamageRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ReportDamageResponse__Output>): grpc.ClientUnaryCall;
  ReportDamage(argument: _lockstep_v1_ReportDamageRequest, callback: grpc.requestCallback<_lockstep_v1_ReportDamageResponse__Output>): grpc.ClientUnaryCall;
  reportDamage(argument: _lockstep_v1_ReportDamageRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ReportDamageResponse__Output>): grpc.ClientUnaryCall;
  reportDamage(argument: _lockstep_v1_ReportDamageRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ReportDamageResponse__Output>): grpc.ClientUnaryCall;
  reportDamage(argument: _lockstep_v1_ReportDamageRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ReportDamageResponse__Output>): grpc.ClientUnaryCall;
  reportDamage(argument: _lockstep_v1_ReportDamageRequest, callback: grpc.requestCallback<_lockstep_v1_ReportDamageResponse__Output>): grpc.ClientUnaryCall;
  
  ReportReads(argument: _lockstep_v1_ReportReadsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ReportReadsResponse__Output>): grpc.ClientUnaryCall;
  ReportReads(argument: _lockstep_v1_ReportReadsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ReportReadsResponse__Output>): grpc.ClientUnaryCall;
  ReportReads(argument: _lockstep_v1_ReportReadsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ReportReadsResponse__Output>): grpc.ClientUnaryCall;
  ReportReads(argument: _lockstep_v1_ReportReadsRequest, callback: grpc.requestCallback<_lockstep_v1_ReportReadsResponse__Output>): grpc.ClientUnaryCall;
  reportReads(argument: _lockstep_v1_ReportReadsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ReportReadsResponse__Output>): grpc.ClientUnaryCall;
  reportReads(argument: _lockstep_v1_ReportReadsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ReportReadsResponse__Output>): grpc.ClientUnaryCall;
  reportReads(argument: _lockstep_v1_ReportReadsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ReportReadsResponse__Output>): grpc.ClientUnaryCall;
  reportReads(argument: _lockstep_v1_ReportReadsRequest, callback: grpc.requestCallback<_lockstep_v1_ReportReadsResponse__Output>): grpc.ClientUnaryCall;
  
  ReportRefusals(argument: _lockstep_v1_ReportRefusalsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ReportRefusalsResponse__Output>): grpc.ClientUnaryCall;
  ReportRefusals(argument: _lockstep_v1_ReportRefusalsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ReportRefusalsResponse__Output>): grpc.ClientUnaryCall;
  ReportRefusals(argument: _lockstep_v1_ReportRefusalsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ReportRefusalsResponse__Output>): grpc.ClientUnaryCall;
  ReportRefusals(argument: _lockstep_v1_ReportRefusalsRequest, callback: grpc.requestCallback<_lockstep_v1_ReportRefusalsResponse__Output>): grpc.ClientUnaryCall;
  reportRefusals(argument: _lockstep_v1_ReportRefusalsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ReportRefusalsResponse__Output>): grpc.ClientUnaryCall;
  reportRefusals(argument: _lockstep_v1_ReportRefusalsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ReportRefusalsResponse__Output>): grpc.ClientUnaryCall;
  reportRefusals(argument: _lockstep_v1_ReportRefusalsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ReportRefusalsResponse__Output>): grpc.ClientUnaryCall;
  reportRefusals(argument: _lockstep_v1_ReportRefusalsRequest, callback: grpc.requestCallback<_lockstep_v1_ReportRefusalsResponse__Output>): grpc.ClientUnaryCall;
  
  RestoreRepository(argument: _lockstep_v1_RestoreRepositoryRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RestoreRepositoryResponse__Output>): grpc.ClientUnaryCall;
  RestoreRepository(argument: _lockstep_v1_RestoreRepositoryRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_RestoreRepositoryResponse__Output>): grpc.ClientUnaryCall;
  RestoreRepository(argument: _lockstep_v1_RestoreRepositoryRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RestoreRepositoryResponse__Output>): grpc.ClientUnaryCall;
  RestoreRepository(argument: _lockstep_v1_RestoreRepositoryRequest, callback: grpc.requestCallback<_lockstep_v1_RestoreRepositoryResponse__Output>): grpc.ClientUnaryCall;
  restoreRepository(argument: _lockstep_v1_RestoreRepositoryRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RestoreRepositoryResponse__Output>): grpc.ClientUnaryCall;
  restoreRepository(argument: _lockstep_v1_RestoreRepositoryRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_RestoreRepositoryResponse__Output>): grpc.ClientUnaryCall;
  restoreRepository(argument: _lockstep_v1_RestoreRepositoryRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RestoreRepositoryResponse__Output>): grpc.ClientUnaryCall;
  restoreRepository(argument: _lockstep_v1_RestoreRepositoryRequest, callback: grpc.requestCallback<_lockstep_v1_RestoreRepositoryResponse__Output>): grpc.ClientUnaryCall;
  
  RevokeKey(argument: _lockstep_v1_RevokeKeyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RevokeKeyResponse__Output>): grpc.ClientUnaryCall;
  RevokeKey(argument: _lockstep_v1_RevokeKeyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_RevokeKeyResponse__Output>): grpc.ClientUnaryCall;
  RevokeKey(argument: _lockstep_v1_RevokeKeyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RevokeKeyResponse__Output>): grpc.ClientUnaryCall;
  RevokeKey(argument: _lockstep_v1_RevokeKeyRequest, callback: grpc.requestCallback<_lockstep_v1_RevokeKeyResponse__Output>): grpc.ClientUnaryCall;
  revokeKey(argument: _lockstep_v1_RevokeKeyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RevokeKeyResponse__Output>): grpc.ClientUnaryCall;
  revokeKey(argument: _lockstep_v1_RevokeKeyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_RevokeKeyResponse__Output>): grpc.ClientUnaryCall;
  revokeKey(argument: _lockstep_v1_RevokeKeyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RevokeKeyResponse__Output>): grpc.ClientUnaryCall;
  revokeKey(argument: _lockstep_v1_RevokeKeyRequest, callback: grpc.requestCallback<_lockstep_v1_RevokeKeyResponse__Output>): grpc.ClientUnaryCall;
  
  SetDevice(argument: _lockstep_v1_SetDeviceRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_SetDeviceResponse__Output>): grpc.ClientUnaryCall;
  SetDevice(argument: _lockstep_v1_SetDeviceRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_SetDeviceResponse__Output>): grpc.ClientUnaryCall;
  SetDevice(argument: _lockstep_v1_SetDeviceRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_SetDeviceResponse__Output>): grpc.ClientUnaryCall;
  SetDevice(argument: _lockstep_v1_SetDeviceRequest, callback: grpc.requestCallback<_lockstep_v1_SetDeviceResponse__Output>): grpc.ClientUnaryCall;
  setDevice(argument: _lockstep_v1_SetDeviceRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_SetDeviceResponse__Output>): grpc.ClientUnaryCall;
  setDevice(argument: _lockstep_v1_SetDeviceRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_SetDeviceResponse__Output>): grpc.ClientUnaryCall;
  setDevice(argument: _lockstep_v1_SetDeviceRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_SetDeviceResponse__Output>): grpc.ClientUnaryCall;
  setDevice(argument: _lockstep_v1_SetDeviceRequest, callback: grpc.requestCallback<_lockstep_v1_SetDeviceResponse__Output>): grpc.ClientUnaryCall;
  
  SetRepository(argument: _lockstep_v1_SetRepositoryRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_SetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  SetRepository(argument: _lockstep_v1_SetRepositoryRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_SetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  SetRepository(argument: _lockstep_v1_SetRepositoryRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_SetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  SetRepository(argument: _lockstep_v1_SetRepositoryRequest, callback: grpc.requestCallback<_lockstep_v1_SetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  setRepository(argument: _lockstep_v1_SetRepositoryRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_SetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  setRepository(argument: _lockstep_v1_SetRepositoryRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_SetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  setRepository(argument: _lockstep_v1_SetRepositoryRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_SetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  setRepository(argument: _lockstep_v1_SetRepositoryRequest, callback: grpc.requestCallback<_lockstep_v1_SetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  
  SetRetention(argument: _lockstep_v1_SetRetentionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_SetRetentionResponse__Output>): grpc.ClientUnaryCall;
  SetRetention(argument: _lockstep_v1_SetRetentionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_SetRetentionResponse__Output>): grpc.ClientUnaryCall;
  SetRetention(argument: _lockstep_v1_SetRetentionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_SetRetentionResponse__Output>): grpc.ClientUnaryCall;
  SetRetention(argument: _lockstep_v1_SetRetentionRequest, callback: grpc.requestCallback<_lockstep_v1_SetRetentionResponse__Output>): grpc.ClientUnaryCall;
  setRetention(argument: _lockstep_v1_SetRetentionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_SetRetentionResponse__Output>): grpc.ClientUnaryCall;
  setRetention(argument: _lockstep_v1_SetRetentionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_SetRetentionResponse__Output>): grpc.ClientUnaryCall;
  setRetention(argument: _lockstep_v1_SetRetentionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_SetRetentionResponse__Output>): grpc.ClientUnaryCall;
  setRetention(argument: _lockstep_v1_SetRetentionRequest, callback: grpc.requestCallback<_lockstep_v1_SetRetentionResponse__Output>): grpc.ClientUnaryCall;
  
  StopWrites(argument: _lockstep_v1_StopWritesRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_StopWritesResponse__Output>;
  StopWrites(argument: _lockstep_v1_StopWritesRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_StopWritesResponse__Output>;
  stopWrites(argument: _lockstep_v1_StopWritesRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_StopWritesResponse__Output>;
  stopWrites(argument: _lockstep_v1_StopWritesRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_StopWritesResponse__Output>;
  
  Thaw(argument: _lockstep_v1_ThawRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ThawResponse__Output>): grpc.ClientUnaryCall;
  Thaw(argument: _lockstep_v1_ThawRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ThawResponse__Output>): grpc.ClientUnaryCall;
  Thaw(argument: _lockstep_v1_ThawRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ThawResponse__Output>): grpc.ClientUnaryCall;
  Thaw(argument: _lockstep_v1_ThawRequest, callback: grpc.requestCallback<_lockstep_v1_ThawResponse__Output>): grpc.ClientUnaryCall;
  thaw(argument: _lockstep_v1_ThawRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ThawResponse__Output>): grpc.ClientUnaryCall;
  thaw(argument: _lockstep_v1_ThawRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ThawResponse__Output>): grpc.ClientUnaryCall;
  thaw(argument: _lockstep_v1_ThawRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ThawResponse__Output>): grpc.ClientUnaryCall;
  thaw(argument: _lockstep_v1_ThawRequest, callback: grpc.requestCallback<_lockstep_v1_ThawResponse__Output>): grpc.ClientUnaryCall;
  
  TrustKey(argument: _lockstep_v1_TrustKeyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_TrustKeyResponse__Output>): grpc.ClientUnaryCall;
  TrustKey(argument: _lockstep_v1_TrustKeyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_TrustKeyResponse__Output>): grpc.ClientUnaryCall;
  TrustKey(argument: _lockstep_v1_TrustKeyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_TrustKeyResponse__Output>): grpc.ClientUnaryCall;
  TrustKey(argument: _lockstep_v1_TrustKeyRequest, callback: grpc.requestCallback<_lockstep_v1_TrustKeyResponse__Output>): grpc.ClientUnaryCall;
  trustKey(argument: _lockstep_v1_TrustKeyRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_TrustKeyResponse__Output>): grpc.ClientUnaryCall;
  trustKey(argument: _lockstep_v1_TrustKeyRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_TrustKeyResponse__Output>): grpc.ClientUnaryCall;
  trustKey(argument: _lockstep_v1_TrustKeyRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_TrustKeyResponse__Output>): grpc.ClientUnaryCall;
  trustKey(argument: _lockstep_v1_TrustKeyRequest, callback: grpc.requestCallback<_lockstep_v1_TrustKeyResponse__Output>): grpc.ClientUnaryCall;
  
  UndoVersion(argument: _lockstep_v1_UndoVersionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_UndoVersionResponse__Output>): grpc.ClientUnaryCall;
  UndoVersion(argument: _lockstep_v1_UndoVersionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_UndoVersionResponse__Output>): grpc.ClientUnaryCall;
  UndoVersion(argument: _lockstep_v1_UndoVersionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_UndoVersionResponse__Output>): grpc.ClientUnaryCall;
  UndoVersion(argument: _lockstep_v1_UndoVersionRequest, callback: grpc.requestCallback<_lockstep_v1_UndoVersionResponse__Output>): grpc.ClientUnaryCall;
  undoVersion(argument: _lockstep_v1_UndoVersionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_UndoVersionResponse__Output>): grpc.ClientUnaryCall;
  undoVersion(argument: _lockstep_v1_UndoVersionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_UndoVersionResponse__Output>): grpc.ClientUnaryCall;
  undoVersion(argument: _lockstep_v1_UndoVersionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_UndoVersionResponse__Output>): grpc.ClientUnaryCall;
  undoVersion(argument: _lockstep_v1_UndoVersionRequest, callback: grpc.requestCallback<_lockstep_v1_UndoVersionResponse__Output>): grpc.ClientUnaryCall;
  
  UndrainDevice(argument: _lockstep_v1_UndrainDeviceRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_UndrainDeviceResponse__Output>): grpc.ClientUnaryCall;
  UndrainDevice(argument: _lockstep_v1_UndrainDeviceRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_UndrainDeviceResponse__Output>): grpc.ClientUnaryCall;
  UndrainDevice(argument: _lockstep_v1_UndrainDeviceRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_UndrainDeviceResponse__Output>): grpc.ClientUnaryCall;
  UndrainDevice(argument: _lockstep_v1_UndrainDeviceRequest, callback: grpc.requestCallback<_lockstep_v1_UndrainDeviceResponse__Output>): grpc.ClientUnaryCall;
  undrainDevice(argument: _lockstep_v1_UndrainDeviceRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_UndrainDeviceResponse__Output>): grpc.ClientUnaryCall;
  undrainDevice(argument: _lockstep_v1_UndrainDeviceRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_UndrainDeviceResponse__Output>): grpc.ClientUnaryCall;
  undrainDevice(argument: _lockstep_v1_UndrainDeviceRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_UndrainDeviceResponse__Output>): grpc.ClientUnaryCall;
  undrainDevice(argument: _lockstep_v1_UndrainDeviceRequest, callback: grpc.requestCallback<_lockstep_v1_UndrainDeviceResponse__Output>): grpc.ClientUnaryCall;
  
  VerifyAudit(argument: _lockstep_v1_VerifyAuditRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_VerifyAuditResponse__Output>): grpc.ClientUnaryCall;
  VerifyAudit(argument: _lockstep_v1_VerifyAuditRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_VerifyAuditResponse__Output>): grpc.ClientUnaryCall;
  VerifyAudit(argument: _lockstep_v1_VerifyAuditRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_VerifyAuditResponse__Output>): grpc.ClientUnaryCall;
  VerifyAudit(argument: _lockstep_v1_VerifyAuditRequest, callback: grpc.requestCallback<_lockstep_v1_VerifyAuditResponse__Output>): grpc.ClientUnaryCall;
  verifyAudit(argument: _lockstep_v1_VerifyAuditRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_VerifyAuditResponse__Output>): grpc.ClientUnaryCall;
  verifyAudit(argument: _lockstep_v1_VerifyAuditRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_VerifyAuditResponse__Output>): grpc.ClientUnaryCall;
  verifyAudit(argument: _lockstep_v1_VerifyAuditRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_VerifyAuditResponse__Output>): grpc.ClientUnaryCall;
  verifyAudit(argument: _lockstep_v1_VerifyAuditRequest, callback: grpc.requestCallback<_lockstep_v1_VerifyAuditResponse__Output>): grpc.ClientUnaryCall;
  
  VerifyReplica(argument: _lockstep_v1_VerifyReplicaRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_VerifyReplicaResponse__Output>): grpc.ClientUnaryCall;
  VerifyReplica(argument: _lockstep_v1_VerifyReplicaRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_VerifyReplicaResponse__Output>): grpc.ClientUnaryCall;
  VerifyReplica(argument: _lockstep_v1_VerifyReplicaRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_VerifyReplicaResponse__Output>): grpc.ClientUnaryCall;
  VerifyReplica(argument: _lockstep_v1_VerifyReplicaRequest, callback: grpc.requestCallback<_lockstep_v1_VerifyReplicaResponse__Output>): grpc.ClientUnaryCall;
  verifyReplica(argument: _lockstep_v1_VerifyReplicaRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_VerifyReplicaResponse__Output>): grpc.ClientUnaryCall;
  verifyReplica(argument: _lockstep_v1_VerifyReplicaRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_VerifyReplicaResponse__Output>): grpc.ClientUnaryCall;
  verifyReplica(argument: _lockstep_v1_VerifyReplicaRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_VerifyReplicaResponse__Output>): grpc.ClientUnaryCall;
  verifyReplica(argument: _lockstep_v1_VerifyReplicaRequest, callback: grpc.requestCallback<_lockstep_v1_VerifyReplicaResponse__Output>): grpc.ClientUnaryCall;
  
  Watch(argument: _lockstep_v1_WatchRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_WatchResponse__Output>;
  Watch(argument: _lockstep_v1_WatchRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_WatchResponse__Output>;
  watch(argument: _lockstep_v1_WatchRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_WatchResponse__Output>;
  watch(argument: _lockstep_v1_WatchRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_WatchResponse__Output>;
  
  WatchCommands(argument: _lockstep_v1_WatchCommandsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_WatchCommandsResponse__Output>;
  WatchCommands(argument: _lockstep_v1_WatchCommandsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_WatchCommandsResponse__Output>;
  watchCommands(argument: _lockstep_v1_WatchCommandsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_WatchCommandsResponse__Output>;
  watchCommands(argument: _lockstep_v1_WatchCommandsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_WatchCommandsResponse__Output>;
  
}

export interface ClusterServiceHandlers extends grpc.UntypedServiceImplementation {
  AddHook: grpc.handleUnaryCall<_lockstep_v1_AddHookRequest__Output, _lockstep_v1_AddHookResponse>;
  
  AdoptRepositories: grpc.handleServerStreamingCall<_lockstep_v1_AdoptRepositoriesRequest__Output, _lockstep_v1_AdoptRepositoriesResponse>;
  
  AllowWrites: grpc.handleUnaryCall<_lockstep_v1_AllowWritesRequest__Output, _lockstep_v1_AllowWritesResponse>;
  
  CreateRepository: grpc.handleUnaryCall<_lockstep_v1_CreateRepositoryRequest__Output, _lockstep_v1_CreateRepositoryResponse>;
  
  DrainDevice: grpc.handleUnaryCall<_lockstep_v1_DrainDeviceRequest__Output, _lockstep_v1_DrainDeviceResponse>;
  
  EnqueueCommand: grpc.handleUnaryCall<_lockstep_v1_EnqueueCommandRequest__Output, _lockstep_v1_EnqueueCommandResponse>;
  
  FindSshWay: grpc.handleUnaryCall<_lockstep_v1_FindSshWayRequest__Output, _lockstep_v1_FindSshWayResponse>;
  
  GetCommand: grpc.handleUnaryCall<_lockstep_v1_GetCommandRequest__Output, _lockstep_v1_GetCommandResponse>;
  
  GetDevice: grpc.handleUnaryCall<_lockstep_v1_GetDeviceRequest__Output, _lockstep_v1_GetDeviceResponse>;
  
  GetRepository: grpc.handleUnaryCall<_lockstep_v1_GetRepositoryRequest__Output, _lockstep_v1_GetRepositoryResponse>;
  
  GetRetention: grpc.handleUnaryCall<_lockstep_v1_GetRetentionRequest__Output, _lockstep_v1_GetRetentionResponse>;
  
  GetStatus: grpc.handleUnaryCall<_lockstep_v1_GetStatusRequest__Output, _lockstep_v1_GetStatusResponse>;
  
  ListAudit: grpc.handleUnaryCall<_lockstep_v1_ListAuditRequest__Output, _lockstep_v1_ListAuditResponse>;
  
  ListAuthorizedKeys: grpc.handleUnaryCall<_lockstep_v1_ListAuthorizedKeysRequest__Output, _lockstep_v1_ListAuthorizedKeysResponse>;
  
  ListCommands: grpc.handleUnaryCall<_lockstep_v1_ListCommandsRequest__Output, _lockstep_v1_ListCommandsResponse>;
  
  ListDevices: grpc.handleUnaryCall<_lockstep_v1_ListDevicesRequest__Output, _lockstep_v1_ListDevicesResponse>;
  
  ListHooks: grpc.handleUnaryCall<_lockstep_v1_ListHooksRequest__Output, _lockstep_v1_ListHooksResponse>;
  
  ListIdentities: grpc.handleUnaryCall<_lockstep_v1_ListIdentitiesRequest__Output, _lockstep_v1_ListIdentitiesResponse>;
  
  ListLog: grpc.handleUnaryCall<_lockstep_v1_ListLogRequest__Output, _lockstep_v1_ListLogResponse>;
  
  ListPulls: grpc.handleUnaryCall<_lockstep_v1_ListPullsRequest__Output, _lockstep_v1_ListPullsResponse>;
  
  ListPushes: grpc.handleUnaryCall<_lockstep_v1_ListPushesRequest__Output, _lockstep_v1_ListPushesResponse>;
  
  ListRemovedRepositories: grpc.handleUnaryCall<_lockstep_v1_ListRemovedRepositoriesRequest__Output, _lockstep_v1_ListRemovedRepositoriesResponse>;
  
  ListRepositories: grpc.handleUnaryCall<_lockstep_v1_ListRepositoriesRequest__Output, _lockstep_v1_ListRepositoriesResponse>;
  
  ListSyncs: grpc.handleUnaryCall<_lockstep_v1_ListSyncsRequest__Output, _lockstep_v1_ListSyncsResponse>;
  
  ListThawable: grpc.handleUnaryCall<_lockstep_v1_ListThawableRequest__Output, _lockstep_v1_ListThawableResponse>;
  
  MakeEnrollToken: grpc.handleUnaryCall<_lockstep_v1_MakeEnrollTokenRequest__Output, _lockstep_v1_MakeEnrollTokenResponse>;
  
  RemoveDevice: grpc.handleUnaryCall<_lockstep_v1_RemoveDeviceRequest__Output, _lockstep_v1_RemoveDeviceResponse>;
  
  RemoveHook: grpc.handleUnaryCall<_lockstep_v1_RemoveHookRequest__Output, _lockstep_v1_RemoveHookResponse>;
  
  RemoveRepository: grpc.handleUnaryCall<_lockstep_v1_RemoveRepositoryRequest__Output, _lockstep_v1_RemoveRepositoryResponse>;
  
  RenameRepository: grpc.handleUnaryCall<_lockstep_v1_RenameRepositoryRequest__Output, _lockstep_v1_RenameRepositoryResponse>;
  
  ReportDamage: grpc.handleUnaryCall<_lockstep_v1_ReportDamageRequest__Output, _lockstep_v1_ReportDamageResponse>;
  
  ReportReads: grpc.handleUnaryCall<_lockstep_v1_ReportReadsRequest__Output, _lockstep_v1_ReportReadsResponse>;
  
  ReportRefusals: grpc.handleUnaryCall<_lockstep_v1_ReportRefusalsRequest__Output, _lockstep_v1_ReportRefusalsResponse>;
  
  RestoreRepository: grpc.handleUnaryCall<_lockstep_v1_RestoreRepositoryRequest__Output, _lockstep_v1_RestoreRepositoryResponse>;
  
  RevokeKey: grpc.handleUnaryCall<_lockstep_v1_RevokeKeyRequest__Output, _lockstep_v1_RevokeKeyResponse>;
  
  SetDevice: grpc.handleUnaryCall<_lockstep_v1_SetDeviceRequest__Output, _lockstep_v1_SetDeviceResponse>;
  
  SetRepository: grpc.handleUnaryCall<_lockstep_v1_SetRepositoryRequest__Output, _lockstep_v1_SetRepositoryResponse>;
  
  SetRetention: grpc.handleUnaryCall<_lockstep_v1_SetRetentionRequest__Output, _lockstep_v1_SetRetentionResponse>;
  
  StopWrites: grpc.handleServerStreamingCall<_lockstep_v1_StopWritesRequest__Output, _lockstep_v1_StopWritesResponse>;
  
  Thaw: grpc.handleUnaryCall<_lockstep_v1_ThawRequest__Output, _lockstep_v1_ThawResponse>;
  
  TrustKey: grpc.handleUnaryCall<_lockstep_v1_TrustKeyRequest__Output, _lockstep_v1_TrustKeyResponse>;
  
  UndoVersion: grpc.handleUnaryCall<_lockstep_v1_UndoVersionRequest__Output, _lockstep_v1_UndoVersionResponse>;
  
  UndrainDevice: grpc.handleUnaryCall<_lockstep_v1_UndrainDeviceRequest__Output, _lockstep_v1_UndrainDeviceResponse>;
  
  VerifyAudit: grpc.handleUnaryCall<_lockstep_v1_VerifyAuditRequest__Output, _lockstep_v1_VerifyAuditResponse>;
  
  VerifyReplica: grpc.handleUnaryCall<_lockstep_v1_VerifyReplicaRequest__Output, _lockstep_v1_VerifyReplicaResponse>;
  
  Watch: grpc.handleServerStreamingCall<_lockstep_v1_WatchRequest__Output, _lockstep_v1_WatchResponse>;
  
  WatchCommands: grpc.handleServerStreamingCall<_lockstep_v1_WatchCommandsRequest__Output, _lockstep_v1_WatchCommandsResponse>;
  
}

export interface ClusterServiceDefinition extends grpc.ServiceDefinition {
  AddHook: MethodDefinition<_lockstep_v1_AddHookRequest, _lockstep_v1_AddHookResponse, _lockstep_v1_AddHookRequest__Output, _lockstep_v1_AddHookResponse__Output>
  AdoptRepositories: MethodDefinition<_lockstep_v1_AdoptRepositoriesRequest, _lockstep_v1_AdoptRepositoriesResponse, _lockstep_v1_AdoptRepositoriesRequest__Output, _lockstep_v1_AdoptRepositoriesResponse__Output>
  AllowWrites: MethodDefinition<_lockstep_v1_AllowWritesRequest, _lockstep_v1_AllowWritesResponse, _lockstep_v1_AllowWritesRequest__Output, _lockstep_v1_AllowWritesResponse__Output>
  CreateRepository: MethodDefinition<_lockstep_v1_CreateRepositoryRequest, _lockstep_v1_CreateRepositoryResponse, _lockstep_v1_CreateRepositoryRequest__Output, _lockstep_v1_CreateRepositoryResponse__Output>
  DrainDevice: MethodDefinition<_lockstep_v1_DrainDeviceRequest, _lockstep_v1_DrainDeviceResponse, _lockstep_v1_DrainDeviceRequest__Output, _lockstep_v1_DrainDeviceResponse__Output>
  EnqueueCommand: MethodDefinition<_lockstep_v1_EnqueueCommandRequest, _lockstep_v1_EnqueueCommandResponse, _lockstep_v1_EnqueueCommandRequest__Output, _lockstep_v1_EnqueueCommandResponse__Output>
  FindSshWay: MethodDefinition<_lockstep_v1_FindSshWayRequest, _lockstep_v1_FindSshWayResponse, _lockstep_v1_FindSshWayRequest__Output, _lockstep_v1_FindSshWayResponse__Output>
  GetCommand: MethodDefinition<_lockstep_v1_GetCommandRequest, _lockstep_v1_GetCommandResponse, _lockstep_v1_GetCommandRequest__Output, _lockstep_v1_GetCommandResponse__Output>
  GetDevice: MethodDefinition<_lockstep_v1_GetDeviceRequest, _lockstep_v1_GetDeviceResponse, _lockstep_v1_GetDeviceRequest__Output, _lockstep_v1_GetDeviceResponse__Output>
  GetRepository: MethodDefinition<_lockstep_v1_GetRepositoryRequest, _lockstep_v1_GetRepositoryResponse, _lockstep_v1_GetRepositoryRequest__Output, _lockstep_v1_GetRepositoryResponse__Output>
  GetRetention: MethodDefinition<_lockstep_v1_GetRetentionRequest, _lockstep_v1_GetRetentionResponse, _lockstep_v1_GetRetentionRequest__Output, _lockstep_v1_GetRetentionResponse__Output>
  GetStatus: MethodDefinition<_lockstep_v1_GetStatusRequest, _lockstep_v1_GetStatusResponse, _lockstep_v1_GetStatusRequest__Output, _lockstep_v1_GetStatusResponse__Output>
  ListAudit: MethodDefinition<_lockstep_v1_ListAuditRequest, _lockstep_v1_ListAuditResponse, _lockstep_v1_ListAuditRequest__Output, _lockstep_v1_ListAuditResponse__Output>
  ListAuthorizedKeys: MethodDefinition<_lockstep_v1_ListAuthorizedKeysRequest, _lockstep_v1_ListAuthorizedKeysResponse, _lockstep_v1_ListAuthorizedKeysRequest__Output, _lockstep_v1_ListAuthorizedKeysResponse__Output>
  ListCommands: MethodDefinition<_lockstep_v1_ListCommandsRequest, _lockstep_v1_ListCommandsResponse, _lockstep_v1_ListCommandsRequest__Output, _lockstep_v1_ListCommandsResponse__Output>
  ListDevices: MethodDefinition<_lockstep_v1_ListDevicesRequest, _lockstep_v1_ListDevicesResponse, _lockstep_v1_ListDevicesRequest__Output, _lockstep_v1_ListDevicesResponse__Output>
  ListHooks: MethodDefinition<_lockstep_v1_ListHooksRequest, _lockstep_v1_ListHooksResponse, _lockstep_v1_ListHooksRequest__Output, _lockstep_v1_ListHooksResponse__Output>
  ListIdentities: MethodDefinition<_lockstep_v1_ListIdentitiesRequest, _lockstep_v1_ListIdentitiesResponse, _lockstep_v1_ListIdentitiesRequest__Output, _lockstep_v1_ListIdentitiesResponse__Output>
  ListLog: MethodDefinition<_lockstep_v1_ListLogRequest, _lockstep_v1_ListLogResponse, _lockstep_v1_ListLogRequest__Output, _lockstep_v1_ListLogResponse__Output>
  ListPulls: MethodDefinition<_lockstep_v1_ListPullsRequest, _lockstep_v1_ListPullsResponse, _lockstep_v1_ListPullsRequest__Output, _lockstep_v1_ListPullsResponse__Output>
  ListPushes: MethodDefinition<_lockstep_v1_ListPushesRequest, _lockstep_v1_ListPushesResponse, _lockstep_v1_ListPushesRequest__Output, _lockstep_v1_ListPushesResponse__Output>
  ListRemovedRepositories: MethodDefinition<_lockstep_v1_ListRemovedRepositoriesRequest, _lockstep_v1_ListRemovedRepositoriesResponse, _lockstep_v1_ListRemovedRepositoriesRequest__Output, _lockstep_v1_ListRemovedRepositoriesResponse__Output>
  ListRepositories: MethodDefinition<_lockstep_v1_ListRepositoriesRequest, _lockstep_v1_ListRepositoriesResponse, _lockstep_v1_ListRepositoriesRequest__Output, _lockstep_v1_ListRepositoriesResponse__Output>
  ListSyncs: MethodDefinition<_lockstep_v1_ListSyncsRequest, _lockstep_v1_ListSyncsResponse, _lockstep_v1_ListSyncsRequest__Output, _lockstep_v1_ListSyncsResponse__Output>
  ListThawable: MethodDefinition<_lockstep_v1_ListThawableRequest, _lockstep_v1_ListThawableResponse, _lockstep_v1_ListThawableRequest__Output, _lockstep_v1_ListThawableResponse__Output>
  MakeEnrollToken: MethodDefinition<_lockstep_v1_MakeEnrollTokenRequest, _lockstep_v1_MakeEnrollTokenResponse, _lockstep_v1_MakeEnrollTokenRequest__Output, _lockstep_v1_MakeEnrollTokenResponse__Output>
  RemoveDevice: MethodDefinition<_lockstep_v1_RemoveDeviceRequest, _lockstep_v1_RemoveDeviceResponse, _lockstep_v1_RemoveDeviceRequest__Output, _lockstep_v1_RemoveDeviceResponse__Output>
  RemoveHook: MethodDefinition<_lockstep_v1_RemoveHookRequest, _lockstep_v1_RemoveHookResponse, _lockstep_v1_RemoveHookRequest__Output, _lockstep_v1_RemoveHookResponse__Output>
  RemoveRepository: MethodDefinition<_lockstep_v1_RemoveRepositoryRequest, _lockstep_v1_RemoveRepositoryResponse, _lockstep_v1_RemoveRepositoryRequest__Output, _lockstep_v1_RemoveRepositoryResponse__Output>
  RenameRepository: MethodDefinition<_lockstep_v1_RenameRepositoryRequest, _lockstep_v1_RenameRepositoryResponse, _lockstep_v1_RenameRepositoryRequest__Output, _lockstep_v1_RenameRepositoryResponse__Output>
  ReportDamage: MethodDefinition<_lockstep_v1_ReportDamageRequest, _lockstep_v1_ReportDamageResponse, _lockstep_v1_ReportDamageRequest__Output, _lockstep_v1_ReportDamageResponse__Output>
  ReportReads: MethodDefinition<_lockstep_v1_ReportReadsRequest, _lockstep_v1_ReportReadsResponse, _lockstep_v1_ReportReadsRequest__Output, _lockstep_v1_ReportReadsResponse__Output>
  ReportRefusals: MethodDefinition<_lockstep_v1_ReportRefusalsRequest, _lockstep_v1_ReportRefusalsResponse, _lockstep_v1_ReportRefusalsRequest__Output, _lockstep_v1_ReportRefusalsResponse__Output>
  RestoreRepository: MethodDefinition<_lockstep_v1_RestoreRepositoryRequest, _lockstep_v1_RestoreRepositoryResponse, _lockstep_v1_RestoreRepositoryRequest__Output, _lockstep_v1_RestoreRepositoryResponse__Output>
  RevokeKey: MethodDefinition<_lockstep_v1_RevokeKeyRequest, _lockstep_v1_RevokeKeyResponse, _lockstep_v1_RevokeKeyRequest__Output, _lockstep_v1_RevokeKeyResponse__Output>
  SetDevice: MethodDefinition<_lockstep_v1_SetDeviceRequest, _lockstep_v1_SetDeviceResponse, _lockstep_v1_SetDeviceRequest__Output, _lockstep_v1_SetDeviceResponse__Output>
  SetRepository: MethodDefinition<_lockstep_v1_SetRepositoryRequest, _lockstep_v1_SetRepositoryResponse, _lockstep_v1_SetRepositoryRequest__Output, _lockstep_v1_SetRepositoryResponse__Output>
  SetRetention: MethodDefinition<_lockstep_v1_SetRetentionRequest, _lockstep_v1_SetRetentionResponse, _lockstep_v1_SetRetentionRequest__Output, _lockstep_v1_SetRetentionResponse__Output>
  StopWrites: MethodDefinition<_lockstep_v1_StopWritesRequest, _lockstep_v1_StopWritesResponse, _lockstep_v1_StopWritesRequest__Output, _lockstep_v1_StopWritesResponse__Output>
  Thaw: MethodDefinition<_lockstep_v1_ThawRequest, _lockstep_v1_ThawResponse, _lockstep_v1_ThawRequest__Output, _lockstep_v1_ThawResponse__Output>
  TrustKey: MethodDefinition<_lockstep_v1_TrustKeyRequest, _lockstep_v1_TrustKeyResponse, _lockstep_v1_TrustKeyRequest__Output, _lockstep_v1_TrustKeyResponse__Output>
  UndoVersion: MethodDefinition<_lockstep_v1_UndoVersionRequest, _lockstep_v1_UndoVersionResponse, _lockstep_v1_UndoVersionRequest__Output, _lockstep_v1_UndoVersionResponse__Output>
  UndrainDevice: MethodDefinition<_lockstep_v1_UndrainDeviceRequest, _lockstep_v1_UndrainDeviceResponse, _lockstep_v1_UndrainDeviceRequest__Output, _lockstep_v1_UndrainDeviceResponse__Output>
  VerifyAudit: MethodDefinition<_lockstep_v1_VerifyAuditRequest, _lockstep_v1_VerifyAuditResponse, _lockstep_v1_VerifyAuditRequest__Output, _lockstep_v1_VerifyAuditResponse__Output>
  VerifyReplica: MethodDefinition<_lockstep_v1_VerifyReplicaRequest, _lockstep_v1_VerifyReplicaResponse, _lockstep_v1_VerifyReplicaRequest__Output, _lockstep_v1_VerifyReplicaResponse__Output>
  Watch: MethodDefinition<_lockstep_v1_WatchRequest, _lockstep_v1_WatchResponse, _lockstep_v1_WatchRequest__Output, _lockstep_v1_WatchResponse__Output>
  WatchCommands: MethodDefinition<_lockstep_v1_WatchCommandsRequest, _lockstep_v1_WatchCommandsResponse, _lockstep_v1_WatchCommandsRequest__Output, _lockstep_v1_WatchCommandsResponse__Output>
}

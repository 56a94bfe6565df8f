import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from './google/protobuf/Duration.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from './google/protobuf/Timestamp.ts';
import type { AbortWriteRequest as _lockstep_v1_AbortWriteRequest, AbortWriteRequest__Output as _lockstep_v1_AbortWriteRequest__Output } from './lockstep/v1/AbortWriteRequest.ts';
import type { AbortWriteResponse as _lockstep_v1_AbortWriteResponse, AbortWriteResponse__Output as _lockstep_v1_AbortWriteResponse__Output } from './lockstep/v1/AbortWriteResponse.ts';
import type { Access as _lockstep_v1_Access, Access__Output as _lockstep_v1_Access__Output } from './lockstep/v1/Access.ts';
import type { AddHookRequest as _lockstep_v1_AddHookRequest, AddHookRequest__Output as _lockstep_v1_AddHookRequest__Output } from './lockstep/v1/AddHookRequest.ts';
import type { AddHookResponse as _lockstep_v1_AddHookResponse, AddHookResponse__Output as _lockstep_v1_AddHookResponse__Output } from './lockstep/v1/AddHookResponse.ts';
import type { AdoptRepositoriesRequest as _lockstep_v1_AdoptRepositoriesRequest, AdoptRepositoriesRequest__Output as _lockstep_v1_AdoptRepositoriesRequest__Output } from './lockstep/v1/AdoptRepositoriesRequest.ts';
import type { AdoptRepositoriesResponse as _lockstep_v1_AdoptRepositoriesResponse, AdoptRepositoriesResponse__Output as _lockstep_v1_AdoptRepositoriesResponse__Output } from './lockstep/v1/AdoptRepositoriesResponse.ts';
import type { AdoptedRepository as _lockstep_v1_AdoptedRepository, AdoptedRepository__Output as _lockstep_v1_AdoptedRepository__Output } from './lockstep/v1/AdoptedRepository.ts';
import type { AllowWritesRequest as _lockstep_v1_AllowWritesRequest, AllowWritesRequest__Output as _lockstep_v1_AllowWritesRequest__Output } from './lockstep/v1/AllowWritesRequest.ts';
import type { AllowWritesResponse as _lockstep_v1_AllowWritesResponse, AllowWritesResponse__Output as _lockstep_v1_AllowWritesResponse__Output } from './lockstep/v1/AllowWritesResponse.ts';
import type { AnsweredRead as _lockstep_v1_AnsweredRead, AnsweredRead__Output as _lockstep_v1_AnsweredRead__Output } from './lockstep/v1/AnsweredRead.ts';
import type { AuditEntry as _lockstep_v1_AuditEntry, AuditEntry__Output as _lockstep_v1_AuditEntry__Output } from './lockstep/v1/AuditEntry.ts';
import type { BeforeReadRequest as _lockstep_v1_BeforeReadRequest, BeforeReadRequest__Output as _lockstep_v1_BeforeReadRequest__Output } from './lockstep/v1/BeforeReadRequest.ts';
import type { BeforeReadResponse as _lockstep_v1_BeforeReadResponse, BeforeReadResponse__Output as _lockstep_v1_BeforeReadResponse__Output } from './lockstep/v1/BeforeReadResponse.ts';
import type { BeginWriteRequest as _lockstep_v1_BeginWriteRequest, BeginWriteRequest__Output as _lockstep_v1_BeginWriteRequest__Output } from './lockstep/v1/BeginWriteRequest.ts';
import type { BeginWriteResponse as _lockstep_v1_BeginWriteResponse, BeginWriteResponse__Output as _lockstep_v1_BeginWriteResponse__Output } from './lockstep/v1/BeginWriteResponse.ts';
import type { BumpVersionRequest as _lockstep_v1_BumpVersionRequest, BumpVersionRequest__Output as _lockstep_v1_BumpVersionRequest__Output } from './lockstep/v1/BumpVersionRequest.ts';
import type { BumpVersionResponse as _lockstep_v1_BumpVersionResponse, BumpVersionResponse__Output as _lockstep_v1_BumpVersionResponse__Output } from './lockstep/v1/BumpVersionResponse.ts';
import type { ClusterServiceClient as _lockstep_v1_ClusterServiceClient, ClusterServiceDefinition as _lockstep_v1_ClusterServiceDefinition } from './lockstep/v1/ClusterService.ts';
import type { Command as _lockstep_v1_Command, Command__Output as _lockstep_v1_Command__Output } from './lockstep/v1/Command.ts';
import type { Commit as _lockstep_v1_Commit, Commit__Output as _lockstep_v1_Commit__Output } from './lockstep/v1/Commit.ts';
import type { CommitList as _lockstep_v1_CommitList, CommitList__Output as _lockstep_v1_CommitList__Output } from './lockstep/v1/CommitList.ts';
import type { CreateRepositoryRequest as _lockstep_v1_CreateRepositoryRequest, CreateRepositoryRequest__Output as _lockstep_v1_CreateRepositoryRequest__Output } from './lockstep/v1/CreateRepositoryRequest.ts';
import type { CreateRepositoryResponse as _lockstep_v1_CreateRepositoryResponse, CreateRepositoryResponse__Output as _lockstep_v1_CreateRepositoryResponse__Output } from './lockstep/v1/CreateRepositoryResponse.ts';
import type { Device as _lockstep_v1_Device, Device__Output as _lockstep_v1_Device__Output } from './lockstep/v1/Device.ts';
import type { DeviceDetails as _lockstep_v1_DeviceDetails, DeviceDetails__Output as _lockstep_v1_DeviceDetails__Output } from './lockstep/v1/DeviceDetails.ts';
import type { DiskRoom as _lockstep_v1_DiskRoom, DiskRoom__Output as _lockstep_v1_DiskRoom__Output } from './lockstep/v1/DiskRoom.ts';
import type { DrainDeviceRequest as _lockstep_v1_DrainDeviceRequest, DrainDeviceRequest__Output as _lockstep_v1_DrainDeviceRequest__Output } from './lockstep/v1/DrainDeviceRequest.ts';
import type { DrainDeviceResponse as _lockstep_v1_DrainDeviceResponse, DrainDeviceResponse__Output as _lockstep_v1_DrainDeviceResponse__Output } from './lockstep/v1/DrainDeviceResponse.ts';
import type { EnqueueCommandRequest as _lockstep_v1_EnqueueCommandRequest, EnqueueCommandRequest__Output as _lockstep_v1_EnqueueCommandRequest__Output } from './lockstep/v1/EnqueueCommandRequest.ts';
import type { EnqueueCommandResponse as _lockstep_v1_EnqueueCommandResponse, EnqueueCommandResponse__Output as _lockstep_v1_EnqueueCommandResponse__Output } from './lockstep/v1/EnqueueCommandResponse.ts';
import type { FetchFromRequest as _lockstep_v1_FetchFromRequest, FetchFromRequest__Output as _lockstep_v1_FetchFromRequest__Output } from './lockstep/v1/FetchFromRequest.ts';
import type { FetchFromResponse as _lockstep_v1_FetchFromResponse, FetchFromResponse__Output as _lockstep_v1_FetchFromResponse__Output } from './lockstep/v1/FetchFromResponse.ts';
import type { FetchProgress as _lockstep_v1_FetchProgress, FetchProgress__Output as _lockstep_v1_FetchProgress__Output } from './lockstep/v1/FetchProgress.ts';
import type { FetchResult as _lockstep_v1_FetchResult, FetchResult__Output as _lockstep_v1_FetchResult__Output } from './lockstep/v1/FetchResult.ts';
import type { FindSshWayRequest as _lockstep_v1_FindSshWayRequest, FindSshWayRequest__Output as _lockstep_v1_FindSshWayRequest__Output } from './lockstep/v1/FindSshWayRequest.ts';
import type { FindSshWayResponse as _lockstep_v1_FindSshWayResponse, FindSshWayResponse__Output as _lockstep_v1_FindSshWayResponse__Output } from './lockstep/v1/FindSshWayResponse.ts';
import type { GetCommandRequest as _lockstep_v1_GetCommandRequest, GetCommandRequest__Output as _lockstep_v1_GetCommandRequest__Output } from './lockstep/v1/GetCommandRequest.ts';
import type { GetCommandResponse as _lockstep_v1_GetCommandResponse, GetCommandResponse__Output as _lockstep_v1_GetCommandResponse__Output } from './lockstep/v1/GetCommandResponse.ts';
import type { GetDeviceRequest as _lockstep_v1_GetDeviceRequest, GetDeviceRequest__Output as _lockstep_v1_GetDeviceRequest__Output } from './lockstep/v1/GetDeviceRequest.ts';
import type { GetDeviceResponse as _lockstep_v1_GetDeviceResponse, GetDeviceResponse__Output as _lockstep_v1_GetDeviceResponse__Output } from './lockstep/v1/GetDeviceResponse.ts';
import type { GetRepositoryRequest as _lockstep_v1_GetRepositoryRequest, GetRepositoryRequest__Output as _lockstep_v1_GetRepositoryRequest__Output } from './lockstep/v1/GetRepositoryRequest.ts';
import type { GetRepositoryResponse as _lockstep_v1_GetRepositoryResponse, GetRepositoryResponse__Output as _lockstep_v1_GetRepositoryResponse__Output } from './lockstep/v1/GetRepositoryResponse.ts';
import type { GetRetentionRequest as _lockstep_v1_GetRetentionRequest, GetRetentionRequest__Output as _lockstep_v1_GetRetentionRequest__Output } from './lockstep/v1/GetRetentionRequest.ts';
import type { GetRetentionResponse as _lockstep_v1_GetRetentionResponse, GetRetentionResponse__Output as _lockstep_v1_GetRetentionResponse__Output } from './lockstep/v1/GetRetentionResponse.ts';
import type { GetStatusRequest as _lockstep_v1_GetStatusRequest, GetStatusRequest__Output as _lockstep_v1_GetStatusRequest__Output } from './lockstep/v1/GetStatusRequest.ts';
import type { GetStatusResponse as _lockstep_v1_GetStatusResponse, GetStatusResponse__Output as _lockstep_v1_GetStatusResponse__Output } from './lockstep/v1/GetStatusResponse.ts';
import type { GetVersionRequest as _lockstep_v1_GetVersionRequest, GetVersionRequest__Output as _lockstep_v1_GetVersionRequest__Output } from './lockstep/v1/GetVersionRequest.ts';
import type { GetVersionResponse as _lockstep_v1_GetVersionResponse, GetVersionResponse__Output as _lockstep_v1_GetVersionResponse__Output } from './lockstep/v1/GetVersionResponse.ts';
import type { GetWriteRequest as _lockstep_v1_GetWriteRequest, GetWriteRequest__Output as _lockstep_v1_GetWriteRequest__Output } from './lockstep/v1/GetWriteRequest.ts';
import type { GetWriteResponse as _lockstep_v1_GetWriteResponse, GetWriteResponse__Output as _lockstep_v1_GetWriteResponse__Output } from './lockstep/v1/GetWriteResponse.ts';
import type { Hook as _lockstep_v1_Hook, Hook__Output as _lockstep_v1_Hook__Output } from './lockstep/v1/Hook.ts';
import type { Identity as _lockstep_v1_Identity, Identity__Output as _lockstep_v1_Identity__Output } from './lockstep/v1/Identity.ts';
import type { KeptSpace as _lockstep_v1_KeptSpace, KeptSpace__Output as _lockstep_v1_KeptSpace__Output } from './lockstep/v1/KeptSpace.ts';
import type { Key as _lockstep_v1_Key, Key__Output as _lockstep_v1_Key__Output } from './lockstep/v1/Key.ts';
import type { ListAuditRequest as _lockstep_v1_ListAuditRequest, ListAuditRequest__Output as _lockstep_v1_ListAuditRequest__Output } from './lockstep/v1/ListAuditRequest.ts';
import type { ListAuditResponse as _lockstep_v1_ListAuditResponse, ListAuditResponse__Output as _lockstep_v1_ListAuditResponse__Output } from './lockstep/v1/ListAuditResponse.ts';
import type { ListAuthorizedKeysRequest as _lockstep_v1_ListAuthorizedKeysRequest, ListAuthorizedKeysRequest__Output as _lockstep_v1_ListAuthorizedKeysRequest__Output } from './lockstep/v1/ListAuthorizedKeysRequest.ts';
import type { ListAuthorizedKeysResponse as _lockstep_v1_ListAuthorizedKeysResponse, ListAuthorizedKeysResponse__Output as _lockstep_v1_ListAuthorizedKeysResponse__Output } from './lockstep/v1/ListAuthorizedKeysResponse.ts';
import type { ListCommandsRequest as _lockstep_v1_ListCommandsRequest, ListCommandsRequest__Output as _lockstep_v1_ListCommandsRequest__Output } from './lockstep/v1/ListCommandsRequest.ts';
import type { ListCommandsResponse as _lockstep_v1_ListCommandsResponse, ListCommandsResponse__Output as _lockstep_v1_ListCommandsResponse__Output } from './lockstep/v1/ListCommandsResponse.ts';
import type { ListDevicesRequest as _lockstep_v1_ListDevicesRequest, ListDevicesRequest__Output as _lockstep_v1_ListDevicesRequest__Output } from './lockstep/v1/ListDevicesRequest.ts';
import type { ListDevicesResponse as _lockstep_v1_ListDevicesResponse, ListDevicesResponse__Output as _lockstep_v1_ListDevicesResponse__Output } from './lockstep/v1/ListDevicesResponse.ts';
import type { ListHooksRequest as _lockstep_v1_ListHooksRequest, ListHooksRequest__Output as _lockstep_v1_ListHooksRequest__Output } from './lockstep/v1/ListHooksRequest.ts';
import type { ListHooksResponse as _lockstep_v1_ListHooksResponse, ListHooksResponse__Output as _lockstep_v1_ListHooksResponse__Output } from './lockstep/v1/ListHooksResponse.ts';
import type { ListIdentitiesRequest as _lockstep_v1_ListIdentitiesRequest, ListIdentitiesRequest__Output as _lockstep_v1_ListIdentitiesRequest__Output } from './lockstep/v1/ListIdentitiesRequest.ts';
import type { ListIdentitiesResponse as _lockstep_v1_ListIdentitiesResponse, ListIdentitiesResponse__Output as _lockstep_v1_ListIdentitiesResponse__Output } from './lockstep/v1/ListIdentitiesResponse.ts';
import type { ListLogRequest as _lockstep_v1_ListLogRequest, ListLogRequest__Output as _lockstep_v1_ListLogRequest__Output } from './lockstep/v1/ListLogRequest.ts';
import type { ListLogResponse as _lockstep_v1_ListLogResponse, ListLogResponse__Output as _lockstep_v1_ListLogResponse__Output } from './lockstep/v1/ListLogResponse.ts';
import type { ListPullsRequest as _lockstep_v1_ListPullsRequest, ListPullsRequest__Output as _lockstep_v1_ListPullsRequest__Output } from './lockstep/v1/ListPullsRequest.ts';
import type { ListPullsResponse as _lockstep_v1_ListPullsResponse, ListPullsResponse__Output as _lockstep_v1_ListPullsResponse__Output } from './lockstep/v1/ListPullsResponse.ts';
import type { ListPushesRequest as _lockstep_v1_ListPushesRequest, ListPushesRequest__Output as _lockstep_v1_ListPushesRequest__Output } from './lockstep/v1/ListPushesRequest.ts';
import type { ListPushesResponse as _lockstep_v1_ListPushesResponse, ListPushesResponse__Output as _lockstep_v1_ListPushesResponse__Output } from './lockstep/v1/ListPushesResponse.ts';
import type { ListRemovedRepositoriesRequest as _lockstep_v1_ListRemovedRepositoriesRequest, ListRemovedRepositoriesRequest__Output as _lockstep_v1_ListRemovedRepositoriesRequest__Output } from './lockstep/v1/ListRemovedRepositoriesRequest.ts';
import type { ListRemovedRepositoriesResponse as _lockstep_v1_ListRemovedRepositoriesResponse, ListRemovedRepositoriesResponse__Output as _lockstep_v1_ListRemovedRepositoriesResponse__Output } from './lockstep/v1/ListRemovedRepositoriesResponse.ts';
import type { ListRepositoriesRequest as _lockstep_v1_ListRepositoriesRequest, ListRepositoriesRequest__Output as _lockstep_v1_ListRepositoriesRequest__Output } from './lockstep/v1/ListRepositoriesRequest.ts';
import type { ListRepositoriesResponse as _lockstep_v1_ListRepositoriesResponse, ListRepositoriesResponse__Output as _lockstep_v1_ListRepositoriesResponse__Output } from './lockstep/v1/ListRepositoriesResponse.ts';
import type { ListSyncsRequest as _lockstep_v1_ListSyncsRequest, ListSyncsRequest__Output as _lockstep_v1_ListSyncsRequest__Output } from './lockstep/v1/ListSyncsRequest.ts';
import type { ListSyncsResponse as _lockstep_v1_ListSyncsResponse, ListSyncsResponse__Output as _lockstep_v1_ListSyncsResponse__Output } from './lockstep/v1/ListSyncsResponse.ts';
import type { ListThawableRequest as _lockstep_v1_ListThawableRequest, ListThawableRequest__Output as _lockstep_v1_ListThawableRequest__Output } from './lockstep/v1/ListThawableRequest.ts';
import type { ListThawableResponse as _lockstep_v1_ListThawableResponse, ListThawableResponse__Output as _lockstep_v1_ListThawableResponse__Output } from './lockstep/v1/ListThawableResponse.ts';
import type { LogEntry as _lockstep_v1_LogEntry, LogEntry__Output as _lockstep_v1_LogEntry__Output } from './lockstep/v1/LogEntry.ts';
import type { LogFilter as _lockstep_v1_LogFilter, LogFilter__Output as _lockstep_v1_LogFilter__Output } from './lockstep/v1/LogFilter.ts';
import type { LoggedPull as _lockstep_v1_LoggedPull, LoggedPull__Output as _lockstep_v1_LoggedPull__Output } from './lockstep/v1/LoggedPull.ts';
import type { LoggedPush as _lockstep_v1_LoggedPush, LoggedPush__Output as _lockstep_v1_LoggedPush__Output } from './lockstep/v1/LoggedPush.ts';
import type { LoggedSync as _lockstep_v1_LoggedSync, LoggedSync__Output as _lockstep_v1_LoggedSync__Output } from './lockstep/v1/LoggedSync.ts';
import type { MakeEnrollTokenRequest as _lockstep_v1_MakeEnrollTokenRequest, MakeEnrollTokenRequest__Output as _lockstep_v1_MakeEnrollTokenRequest__Output } from './lockstep/v1/MakeEnrollTokenRequest.ts';
import type { MakeEnrollTokenResponse as _lockstep_v1_MakeEnrollTokenResponse, MakeEnrollTokenResponse__Output as _lockstep_v1_MakeEnrollTokenResponse__Output } from './lockstep/v1/MakeEnrollTokenResponse.ts';
import type { Placement as _lockstep_v1_Placement, Placement__Output as _lockstep_v1_Placement__Output } from './lockstep/v1/Placement.ts';
import type { PushedRef as _lockstep_v1_PushedRef, PushedRef__Output as _lockstep_v1_PushedRef__Output } from './lockstep/v1/PushedRef.ts';
import type { Reader as _lockstep_v1_Reader, Reader__Output as _lockstep_v1_Reader__Output } from './lockstep/v1/Reader.ts';
import type { RefChange as _lockstep_v1_RefChange, RefChange__Output as _lockstep_v1_RefChange__Output } from './lockstep/v1/RefChange.ts';
import type { RefChanges as _lockstep_v1_RefChanges, RefChanges__Output as _lockstep_v1_RefChanges__Output } from './lockstep/v1/RefChanges.ts';
import type { RefDifference as _lockstep_v1_RefDifference, RefDifference__Output as _lockstep_v1_RefDifference__Output } from './lockstep/v1/RefDifference.ts';
import type { RefOnDevice as _lockstep_v1_RefOnDevice, RefOnDevice__Output as _lockstep_v1_RefOnDevice__Output } from './lockstep/v1/RefOnDevice.ts';
import type { RefOnDevices as _lockstep_v1_RefOnDevices, RefOnDevices__Output as _lockstep_v1_RefOnDevices__Output } from './lockstep/v1/RefOnDevices.ts';
import type { RefUpdate as _lockstep_v1_RefUpdate, RefUpdate__Output as _lockstep_v1_RefUpdate__Output } from './lockstep/v1/RefUpdate.ts';
import type { RefusedRepository as _lockstep_v1_RefusedRepository, RefusedRepository__Output as _lockstep_v1_RefusedRepository__Output } from './lockstep/v1/RefusedRepository.ts';
import type { RefusedUser as _lockstep_v1_RefusedUser, RefusedUser__Output as _lockstep_v1_RefusedUser__Output } from './lockstep/v1/RefusedUser.ts';
import type { RemoveDeviceRequest as _lockstep_v1_RemoveDeviceRequest, RemoveDeviceRequest__Output as _lockstep_v1_RemoveDeviceRequest__Output } from './lockstep/v1/RemoveDeviceRequest.ts';
import type { RemoveDeviceResponse as _lockstep_v1_RemoveDeviceResponse, RemoveDeviceResponse__Output as _lockstep_v1_RemoveDeviceResponse__Output } from './lockstep/v1/RemoveDeviceResponse.ts';
import type { RemoveHookRequest as _lockstep_v1_RemoveHookRequest, RemoveHookRequest__Output as _lockstep_v1_RemoveHookRequest__Output } from './lockstep/v1/RemoveHookRequest.ts';
import type { RemoveHookResponse as _lockstep_v1_RemoveHookResponse, RemoveHookResponse__Output as _lockstep_v1_RemoveHookResponse__Output } from './lockstep/v1/RemoveHookResponse.ts';
import type { RemoveRepositoryRequest as _lockstep_v1_RemoveRepositoryRequest, RemoveRepositoryRequest__Output as _lockstep_v1_RemoveRepositoryRequest__Output } from './lockstep/v1/RemoveRepositoryRequest.ts';
import type { RemoveRepositoryResponse as _lockstep_v1_RemoveRepositoryResponse, RemoveRepositoryResponse__Output as _lockstep_v1_RemoveRepositoryResponse__Output } from './lockstep/v1/RemoveRepositoryResponse.ts';
import type { RemovedRepository as _lockstep_v1_RemovedRepository, RemovedRepository__Output as _lockstep_v1_RemovedRepository__Output } from './lockstep/v1/RemovedRepository.ts';
import type { RenameRepositoryRequest as _lockstep_v1_RenameRepositoryRequest, RenameRepositoryRequest__Output as _lockstep_v1_RenameRepositoryRequest__Output } from './lockstep/v1/RenameRepositoryRequest.ts';
import type { RenameRepositoryResponse as _lockstep_v1_RenameRepositoryResponse, RenameRepositoryResponse__Output as _lockstep_v1_RenameRepositoryResponse__Output } from './lockstep/v1/RenameRepositoryResponse.ts';
import type { RenewWriteRequest as _lockstep_v1_RenewWriteRequest, RenewWriteRequest__Output as _lockstep_v1_RenewWriteRequest__Output } from './lockstep/v1/RenewWriteRequest.ts';
import type { RenewWriteResponse as _lockstep_v1_RenewWriteResponse, RenewWriteResponse__Output as _lockstep_v1_RenewWriteResponse__Output } from './lockstep/v1/RenewWriteResponse.ts';
import type { Replica as _lockstep_v1_Replica, Replica__Output as _lockstep_v1_Replica__Output } from './lockstep/v1/Replica.ts';
import type { ReportDamageRequest as _lockstep_v1_ReportDamageRequest, ReportDamageRequest__Output as _lockstep_v1_ReportDamageRequest__Output } from './lockstep/v1/ReportDamageRequest.ts';
import type { ReportDamageResponse as _lockstep_v1_ReportDamageResponse, ReportDamageResponse__Output as _lockstep_v1_ReportDamageResponse__Output } from './lockstep/v1/ReportDamageResponse.ts';
import type { ReportReadsRequest as _lockstep_v1_ReportReadsRequest, ReportReadsRequest__Output as _lockstep_v1_ReportReadsRequest__Output } from './lockstep/v1/ReportReadsRequest.ts';
import type { ReportReadsResponse as _lockstep_v1_ReportReadsResponse, ReportReadsResponse__Output as _lockstep_v1_ReportReadsResponse__Output } from './lockstep/v1/ReportReadsResponse.ts';
import type { ReportRefusalsRequest as _lockstep_v1_ReportRefusalsRequest, ReportRefusalsRequest__Output as _lockstep_v1_ReportRefusalsRequest__Output } from './lockstep/v1/ReportRefusalsRequest.ts';
import type { ReportRefusalsResponse as _lockstep_v1_ReportRefusalsResponse, ReportRefusalsResponse__Output as _lockstep_v1_ReportRefusalsResponse__Output } from './lockstep/v1/ReportRefusalsResponse.ts';
import type { Repository as _lockstep_v1_Repository, Repository__Output as _lockstep_v1_Repository__Output } from './lockstep/v1/Repository.ts';
import type { RepositoryStatus as _lockstep_v1_RepositoryStatus, RepositoryStatus__Output as _lockstep_v1_RepositoryStatus__Output } from './lockstep/v1/RepositoryStatus.ts';
import type { RestoreRepositoryRequest as _lockstep_v1_RestoreRepositoryRequest, RestoreRepositoryRequest__Output as _lockstep_v1_RestoreRepositoryRequest__Output } from './lockstep/v1/RestoreRepositoryRequest.ts';
import type { RestoreRepositoryResponse as _lockstep_v1_RestoreRepositoryResponse, RestoreRepositoryResponse__Output as _lockstep_v1_RestoreRepositoryResponse__Output } from './lockstep/v1/RestoreRepositoryResponse.ts';
import type { RetentionRule as _lockstep_v1_RetentionRule, RetentionRule__Output as _lockstep_v1_RetentionRule__Output } from './lockstep/v1/RetentionRule.ts';
import type { RevokeKeyRequest as _lockstep_v1_RevokeKeyRequest, RevokeKeyRequest__Output as _lockstep_v1_RevokeKeyRequest__Output } from './lockstep/v1/RevokeKeyRequest.ts';
import type { RevokeKeyResponse as _lockstep_v1_RevokeKeyResponse, RevokeKeyResponse__Output as _lockstep_v1_RevokeKeyResponse__Output } from './lockstep/v1/RevokeKeyResponse.ts';
import type { Scrub as _lockstep_v1_Scrub, Scrub__Output as _lockstep_v1_Scrub__Output } from './lockstep/v1/Scrub.ts';
import type { SetDeviceRequest as _lockstep_v1_SetDeviceRequest, SetDeviceRequest__Output as _lockstep_v1_SetDeviceRequest__Output } from './lockstep/v1/SetDeviceRequest.ts';
import type { SetDeviceResponse as _lockstep_v1_SetDeviceResponse, SetDeviceResponse__Output as _lockstep_v1_SetDeviceResponse__Output } from './lockstep/v1/SetDeviceResponse.ts';
import type { SetRepositoryRequest as _lockstep_v1_SetRepositoryRequest, SetRepositoryRequest__Output as _lockstep_v1_SetRepositoryRequest__Output } from './lockstep/v1/SetRepositoryRequest.ts';
import type { SetRepositoryResponse as _lockstep_v1_SetRepositoryResponse, SetRepositoryResponse__Output as _lockstep_v1_SetRepositoryResponse__Output } from './lockstep/v1/SetRepositoryResponse.ts';
import type { SetRetentionRequest as _lockstep_v1_SetRetentionRequest, SetRetentionRequest__Output as _lockstep_v1_SetRetentionRequest__Output } from './lockstep/v1/SetRetentionRequest.ts';
import type { SetRetentionResponse as _lockstep_v1_SetRetentionResponse, SetRetentionResponse__Output as _lockstep_v1_SetRetentionResponse__Output } from './lockstep/v1/SetRetentionResponse.ts';
import type { StopWritesProgress as _lockstep_v1_StopWritesProgress, StopWritesProgress__Output as _lockstep_v1_StopWritesProgress__Output } from './lockstep/v1/StopWritesProgress.ts';
import type { StopWritesRequest as _lockstep_v1_StopWritesRequest, StopWritesRequest__Output as _lockstep_v1_StopWritesRequest__Output } from './lockstep/v1/StopWritesRequest.ts';
import type { StopWritesResponse as _lockstep_v1_StopWritesResponse, StopWritesResponse__Output as _lockstep_v1_StopWritesResponse__Output } from './lockstep/v1/StopWritesResponse.ts';
import type { StopWritesResult as _lockstep_v1_StopWritesResult, StopWritesResult__Output as _lockstep_v1_StopWritesResult__Output } from './lockstep/v1/StopWritesResult.ts';
import type { SyncEvent as _lockstep_v1_SyncEvent, SyncEvent__Output as _lockstep_v1_SyncEvent__Output } from './lockstep/v1/SyncEvent.ts';
import type { SyncServiceClient as _lockstep_v1_SyncServiceClient, SyncServiceDefinition as _lockstep_v1_SyncServiceDefinition } from './lockstep/v1/SyncService.ts';
import type { ThawRequest as _lockstep_v1_ThawRequest, ThawRequest__Output as _lockstep_v1_ThawRequest__Output } from './lockstep/v1/ThawRequest.ts';
import type { ThawResponse as _lockstep_v1_ThawResponse, ThawResponse__Output as _lockstep_v1_ThawResponse__Output } from './lockstep/v1/ThawResponse.ts';
import type { TrustKeyRequest as _lockstep_v1_TrustKeyRequest, TrustKeyRequest__Output as _lockstep_v1_TrustKeyRequest__Output } from './lockstep/v1/TrustKeyRequest.ts';
import type { TrustKeyResponse as _lockstep_v1_TrustKeyResponse, TrustKeyResponse__Output as _lockstep_v1_TrustKeyResponse__Output } from './lockstep/v1/TrustKeyResponse.ts';
import type { UndoVersionRequest as _lockstep_v1_UndoVersionRequest, UndoVersionRequest__Output as _lockstep_v1_UndoVersionRequest__Output } from './lockstep/v1/UndoVersionRequest.ts';
import type { UndoVersionResponse as _lockstep_v1_UndoVersionResponse, UndoVersionResponse__Output as _lockstep_v1_UndoVersionResponse__Output } from './lockstep/v1/UndoVersionResponse.ts';
import type { UndrainDeviceRequest as _lockstep_v1_UndrainDeviceRequest, UndrainDeviceRequest__Output as _lockstep_v1_UndrainDeviceRequest__Output } from './lockstep/v1/UndrainDeviceRequest.ts';
import type { UndrainDeviceResponse as _lockstep_v1_UndrainDeviceResponse, UndrainDeviceResponse__Output as _lockstep_v1_UndrainDeviceResponse__Output } from './lockstep/v1/UndrainDeviceResponse.ts';
import type { UnknownDirectory as _lockstep_v1_UnknownDirectory, UnknownDirectory__Output as _lockstep_v1_UnknownDirectory__Output } from './lockstep/v1/UnknownDirectory.ts';
import type { VerifyAuditRequest as _lockstep_v1_VerifyAuditRequest, VerifyAuditRequest__Output as _lockstep_v1_VerifyAuditRequest__Output } from './lockstep/v1/VerifyAuditRequest.ts';
import type { VerifyAuditResponse as _lockstep_v1_VerifyAuditResponse, VerifyAuditResponse__Output as _lockstep_v1_VerifyAuditResponse__Output } from './lockstep/v1/VerifyAuditResponse.ts';
import type { VerifyReplicaRequest as _lockstep_v1_VerifyReplicaRequest, VerifyReplicaRequest__Output as _lockstep_v1_VerifyReplicaRequest__Output } from './lockstep/v1/VerifyReplicaRequest.ts';
import type { VerifyReplicaResponse as _lockstep_v1_VerifyReplicaResponse, VerifyReplicaResponse__Output as _lockstep_v1_VerifyReplicaResponse__Output } from './lockstep/v1/VerifyReplicaResponse.ts';
import type { Waiter as _lockstep_v1_Waiter, Waiter__Output as _lockstep_v1_Waiter__Output } from './lockstep/v1/Waiter.ts';
import type { WaitingKey as _lockstep_v1_WaitingKey, WaitingKey__Output as _lockstep_v1_WaitingKey__Output } from './lockstep/v1/WaitingKey.ts';
import type { Waits as _lockstep_v1_Waits, Waits__Output as _lockstep_v1_Waits__Output } from './lockstep/v1/Waits.ts';
import type { WatchCommandsRequest as _lockstep_v1_WatchCommandsRequest, WatchCommandsRequest__Output as _lockstep_v1_WatchCommandsRequest__Output } from './lockstep/v1/WatchCommandsRequest.ts';
import type { WatchCommandsResponse as _lockstep_v1_WatchCommandsResponse, WatchCommandsResponse__Output as _lockstep_v1_WatchCommandsResponse__Output } from './lockstep/v1/WatchCommandsResponse.ts';
import type { WatchRequest as _lockstep_v1_WatchRequest, WatchRequest__Output as _lockstep_v1_WatchRequest__Output } from './lockstep/v1/WatchRequest.ts';
import type { WatchResponse as _lockstep_v1_WatchResponse, WatchResponse__Output as _lockstep_v1_WatchResponse__Output } from './lockstep/v1/WatchResponse.ts';
import type { Write as _lockstep_v1_Write, Write__Output as _lockstep_v1_Write__Output } from './lockstep/v1/Write.ts';
import type { WriteLock as _lockstep_v1_WriteLock, WriteLock__Output as _lockstep_v1_WriteLock__Output } from './lockstep/v1/WriteLock.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  google: {
    protobuf: {
      Duration: MessageTypeDefinition<_google_protobuf_Duration, _google_protobuf_Duration__Output>
      Timestamp: MessageTypeDefinition<_google_protobuf_Timestamp, _google_protobuf_Timestamp__Output>
    }
  }
  lockstep: {
    v1: {
      AbortWriteRequest: MessageTypeDefinition<_lockstep_v1_AbortWriteRequest, _lockstep_v1_AbortWriteRequest__Output>
      AbortWriteResponse: MessageTypeDefinition<_lockstep_v1_AbortWriteResponse, _lockstep_v1_AbortWriteResponse__Output>
      Access: MessageTypeDefinition<_lockstep_v1_Access, _lockstep_v1_Access__Output>
      AddHookRequest: MessageTypeDefinition<_lockstep_v1_AddHookRequest, _lockstep_v1_AddHookRequest__Output>
      AddHookResponse: MessageTypeDefinition<_lockstep_v1_AddHookResponse, _lockstep_v1_AddHookResponse__Output>
      AdoptRepositoriesRequest: MessageTypeDefinition<_lockstep_v1_AdoptRepositoriesRequest, _lockstep_v1_AdoptRepositoriesRequest__Output>
      AdoptRepositoriesResponse: MessageTypeDefinition<_lockstep_v1_AdoptRepositoriesResponse, _lockstep_v1_AdoptRepositoriesResponse__Output>
      AdoptedRepository: MessageTypeDefinition<_lockstep_v1_AdoptedRepository, _lockstep_v1_AdoptedRepository__Output>
      AllowWritesRequest: MessageTypeDefinition<_lockstep_v1_AllowWritesRequest, _lockstep_v1_AllowWritesRequest__Output>
      AllowWritesResponse: MessageTypeDefinition<_lockstep_v1_AllowWritesResponse, _lockstep_v1_AllowWritesResponse__Output>
      AnsweredRead: MessageTypeDefinition<_lockstep_v1_AnsweredRead, _lockstep_v1_AnsweredRead__Output>
      AuditEntry: MessageTypeDefinition<_lockstep_v1_AuditEntry, _lockstep_v1_AuditEntry__Output>
      BeforeReadRequest: MessageTypeDefinition<_lockstep_v1_BeforeReadRequest, _lockstep_v1_BeforeReadRequest__Output>
      BeforeReadResponse: MessageTypeDefinition<_lockstep_v1_BeforeReadResponse, _lockstep_v1_BeforeReadResponse__Output>
      BeginWriteRequest: MessageTypeDefinition<_lockstep_v1_BeginWriteRequest, _lockstep_v1_BeginWriteRequest__Output>
      BeginWriteResponse: MessageTypeDefinition<_lockstep_v1_BeginWriteResponse, _lockstep_v1_BeginWriteResponse__Output>
      BumpVersionRequest: MessageTypeDefinition<_lockstep_v1_BumpVersionRequest, _lockstep_v1_BumpVersionRequest__Output>
      BumpVersionResponse: MessageTypeDefinition<_lockstep_v1_BumpVersionResponse, _lockstep_v1_BumpVersionResponse__Output>
      ClusterService: SubtypeConstructor<typeof grpc.Client, _lockstep_v1_ClusterServiceClient> & { service: _lockstep_v1_ClusterServiceDefinition }
      Command: MessageTypeDefinition<_lockstep_v1_Command, _lockstep_v1_Command__Output>
      CommandState: EnumTypeDefinition
      Commit: MessageTypeDefinition<_lockstep_v1_Commit, _lockstep_v1_Commit__Output>
      CommitList: MessageTypeDefinition<_lockstep_v1_CommitList, _lockstep_v1_CommitList__Output>
      CreateRepositoryRequest: MessageTypeDefinition<_lockstep_v1_CreateRepositoryRequest, _lockstep_v1_CreateRepositoryRequest__Output>
      CreateRepositoryResponse: MessageTypeDefinition<_lockstep_v1_CreateRepositoryResponse, _lockstep_v1_CreateRepositoryResponse__Output>
      Device: MessageTypeDefinition<_lockstep_v1_Device, _lockstep_v1_Device__Output>
      DeviceDetails: MessageTypeDefinition<_lockstep_v1_DeviceDetails, _lockstep_v1_DeviceDetails__Output>
      DiskRoom: MessageTypeDefinition<_lockstep_v1_DiskRoom, _lockstep_v1_DiskRoom__Output>
      DrainDeviceRequest: MessageTypeDefinition<_lockstep_v1_DrainDeviceRequest, _lockstep_v1_DrainDeviceRequest__Output>
      DrainDeviceResponse: MessageTypeDefinition<_lockstep_v1_DrainDeviceResponse, _lockstep_v1_DrainDeviceResponse__Output>
      EnqueueCommandRequest: MessageTypeDefinition<_lockstep_v1_EnqueueCommandRequest, _lockstep_v1_EnqueueCommandRequest__Output>
      EnqueueCommandResponse: MessageTypeDefinition<_lockstep_v1_EnqueueCommandResponse, _lockstep_v1_EnqueueCommandResponse__Output>
      FetchFromRequest: MessageTypeDefinition<_lockstep_v1_FetchFromRequest, _lockstep_v1_FetchFromRequest__Output>
      FetchFromResponse: MessageTypeDefinition<_lockstep_v1_FetchFromResponse, _lockstep_v1_FetchFromResponse__Output>
      FetchProgress: MessageTypeDefinition<_lockstep_v1_FetchProgress, _lockstep_v1_FetchProgress__Output>
      FetchResult: MessageTypeDefinition<_lockstep_v1_FetchResult, _lockstep_v1_FetchResult__Output>
      FindSshWayRequest: MessageTypeDefinition<_lockstep_v1_FindSshWayRequest, _lockstep_v1_FindSshWayRequest__Output>
      FindSshWayResponse: MessageTypeDefinition<_lockstep_v1_FindSshWayResponse, _lockstep_v1_FindSshWayResponse__Output>
      GetCommandRequest: MessageTypeDefinition<_lockstep_v1_GetCommandRequest, _lockstep_v1_GetCommandRequest__Output>
      GetCommandResponse: MessageTypeDefinition<_lockstep_v1_GetCommandResponse, _lockstep_v1_GetCommandResponse__Output>
      GetDeviceRequest: MessageTypeDefinition<_lockstep_v1_GetDeviceRequest, _lockstep_v1_GetDeviceRequest__Output>
      GetDeviceResponse: MessageTypeDefinition<_lockstep_v1_GetDeviceResponse, _lockstep_v1_GetDeviceResponse__Output>
      GetRepositoryRequest: MessageTypeDefinition<_lockstep_v1_GetRepositoryRequest, _lockstep_v1_GetRepositoryRequest__Output>
      GetRepositoryResponse: MessageTypeDefinition<_lockstep_v1_GetRepositoryResponse, _lockstep_v1_GetRepositoryResponse__Output>
      GetRetentionRequest: MessageTypeDefinition<_lockstep_v1_GetRetentionRequest, _lockstep_v1_GetRetentionRequest__Output>
      GetRetentionResponse: MessageTypeDefinition<_lockstep_v1_GetRetentionResponse, _lockstep_v1_GetRetentionResponse__Output>
      GetStatusRequest: MessageTypeDefinition<_lockstep_v1_GetStatusRequest, _lockstep_v1_GetStatusRequest__Output>
      GetStatusResponse: MessageTypeDefinition<_lockstep_v1_GetStatusResponse, _lockstep_v1_GetStatusResponse__Output>
      GetVersionRequest: MessageTypeDefinition<_lockstep_v1_GetVersionRequest, _lockstep_v1_GetVersionRequest__Output>
      GetVersionResponse: MessageTypeDefinition<_lockstep_v1_GetVersionResponse, _lockstep_v1_GetVersionResponse__Output>
      GetWriteRequest: MessageTypeDefinition<_lockstep_v1_GetWriteRequest, _lockstep_v1_GetWriteRequest__Output>
      GetWriteResponse: MessageTypeDefinition<_lockstep_v1_GetWriteResponse, _lockstep_v1_GetWriteResponse__Output>
      Hook: MessageTypeDefinition<_lockstep_v1_Hook, _lockstep_v1_Hook__Output>
      Identity: MessageTypeDefinition<_lockstep_v1_Identity, _lockstep_v1_Identity__Output>
      KeptSpace: MessageTypeDefinition<_lockstep_v1_KeptSpace, _lockstep_v1_KeptSpace__Output>
      Key: MessageTypeDefinition<_lockstep_v1_Key, _lockstep_v1_Key__Output>
      ListAuditRequest: MessageTypeDefinition<_lockstep_v1_ListAuditRequest, _lockstep_v1_ListAuditRequest__Output>
      ListAuditResponse: MessageTypeDefinition<_lockstep_v1_ListAuditResponse, _lockstep_v1_ListAuditResponse__Output>
      ListAuthorizedKeysRequest: MessageTypeDefinition<_lockstep_v1_ListAuthorizedKeysRequest, _lockstep_v1_ListAuthorizedKeysRequest__Output>
      ListAuthorizedKeysResponse: MessageTypeDefinition<_lockstep_v1_ListAuthorizedKeysResponse, _lockstep_v1_ListAuthorizedKeysResponse__Output>
      ListCommandsRequest: MessageTypeDefinition<_lockstep_v1_ListCommandsRequest, _lockstep_v1_ListCommandsRequest__Output>
      ListCommandsResponse: MessageTypeDefinition<_lockstep_v1_ListCommandsResponse, _lockstep_v1_ListCommandsResponse__Output>
      ListDevicesRequest: MessageTypeDefinition<_lockstep_v1_ListDevicesRequest, _lockstep_v1_ListDevicesRequest__Output>
      ListDevicesResponse: MessageTypeDefinition<_lockstep_v1_ListDevicesResponse, _lockstep_v1_ListDevicesResponse__Output>
      ListHooksRequest: MessageTypeDefinition<_lockstep_v1_ListHooksRequest, _lockstep_v1_ListHooksRequest__Output>
      ListHooksResponse: MessageTypeDefinition<_lockstep_v1_ListHooksResponse, _lockstep_v1_ListHooksResponse__Output>
      ListIdentitiesRequest: MessageTypeDefinition<_lockstep_v1_ListIdentitiesRequest, _lockstep_v1_ListIdentitiesRequest__Output>
      ListIdentitiesResponse: MessageTypeDefinition<_lockstep_v1_ListIdentitiesResponse, _lockstep_v1_ListIdentitiesResponse__Output>
      ListLogRequest: MessageTypeDefinition<_lockstep_v1_ListLogRequest, _lockstep_v1_ListLogRequest__Output>
      ListLogResponse: MessageTypeDefinition<_lockstep_v1_ListLogResponse, _lockstep_v1_ListLogResponse__Output>
      ListPullsRequest: MessageTypeDefinition<_lockstep_v1_ListPullsRequest, _lockstep_v1_ListPullsRequest__Output>
      ListPullsResponse: MessageTypeDefinition<_lockstep_v1_ListPullsResponse, _lockstep_v1_ListPullsResponse__Output>
      ListPushesRequest: MessageTypeDefinition<_lockstep_v1_ListPushesRequest, _lockstep_v1_ListPushesRequest__Output>
      ListPushesResponse: MessageTypeDefinition<_lockstep_v1_ListPushesResponse, _lockstep_v1_ListPushesResponse__Output>
      ListRemovedRepositoriesRequest: MessageTypeDefinition<_lockstep_v1_ListRemovedRepositoriesRequest, _lockstep_v1_ListRemovedRepositoriesRequest__Output>
      ListRemovedRepositoriesResponse: MessageTypeDefinition<_lockstep_v1_ListRemovedRepositoriesResponse, _lockstep_v1_ListRemovedRepositoriesResponse__Output>
      ListRepositoriesRequest: MessageTypeDefinition<_lockstep_v1_ListRepositoriesRequest, _lockstep_v1_ListRepositoriesRequest__Output>
      ListRepositoriesResponse: MessageTypeDefinition<_lockstep_v1_ListRepositoriesResponse, _lockstep_v1_ListRepositoriesResponse__Output>
      ListSyncsRequest: MessageTypeDefinition<_lockstep_v1_ListSyncsRequest, _lockstep_v1_ListSyncsRequest__Output>
      ListSyncsResponse: MessageTypeDefinition<_lockstep_v1_ListSyncsResponse, _lockstep_v1_ListSyncsResponse__Output>
      ListThawableRequest: MessageTypeDefinition<_lockstep_v1_ListThawableRequest, _lockstep_v1_ListThawableRequest__Output>
      ListThawableResponse: MessageTypeDefinition<_lockstep_v1_ListThawableResponse, _lockstep_v1_ListThawableResponse__Output>
      LogEntry: MessageTypeDefinition<_lockstep_v1_LogEntry, _lockstep_v1_LogEntry__Output>
      LogFilter: MessageTypeDefinition<_lockstep_v1_LogFilter, _lockstep_v1_LogFilter__Output>
      LoggedPull: MessageTypeDefinition<_lockstep_v1_LoggedPull, _lockstep_v1_LoggedPull__Output>
      LoggedPush: MessageTypeDefinition<_lockstep_v1_LoggedPush, _lockstep_v1_LoggedPush__Output>
      LoggedSync: MessageTypeDefinition<_lockstep_v1_LoggedSync, _lockstep_v1_LoggedSync__Output>
      MakeEnrollTokenRequest: MessageTypeDefinition<_lockstep_v1_MakeEnrollTokenRequest, _lockstep_v1_MakeEnrollTokenRequest__Output>
      MakeEnrollTokenResponse: MessageTypeDefinition<_lockstep_v1_MakeEnrollTokenResponse, _lockstep_v1_MakeEnrollTokenResponse__Output>
      Placement: MessageTypeDefinition<_lockstep_v1_Placement, _lockstep_v1_Placement__Output>
      PushedRef: MessageTypeDefinition<_lockstep_v1_PushedRef, _lockstep_v1_PushedRef__Output>
      Reader: MessageTypeDefinition<_lockstep_v1_Reader, _lockstep_v1_Reader__Output>
      RefChange: MessageTypeDefinition<_lockstep_v1_RefChange, _lockstep_v1_RefChange__Output>
      RefChanges: MessageTypeDefinition<_lockstep_v1_RefChanges, _lockstep_v1_RefChanges__Output>
      RefDifference: MessageTypeDefinition<_lockstep_v1_RefDifference, _lockstep_v1_RefDifference__Output>
      RefOnDevice: MessageTypeDefinition<_lockstep_v1_RefOnDevice, _lockstep_v1_RefOnDevice__Output>
      RefOnDevices: MessageTypeDefinition<_lockstep_v1_RefOnDevices, _lockstep_v1_RefOnDevices__Output>
      RefUpdate: MessageTypeDefinition<_lockstep_v1_RefUpdate, _lockstep_v1_RefUpdate__Output>
      RefusedRepository: MessageTypeDefinition<_lockstep_v1_RefusedRepository, _lockstep_v1_RefusedRepository__Output>
      RefusedUser: MessageTypeDefinition<_lockstep_v1_RefusedUser, _lockstep_v1_RefusedUser__Output>
      RemoveDeviceRequest: MessageTypeDefinition<_lockstep_v1_RemoveDeviceRequest, _lockstep_v1_RemoveDeviceRequest__Output>
      RemoveDeviceResponse: MessageTypeDefinition<_lockstep_v1_RemoveDeviceResponse, _lockstep_v1_RemoveDeviceResponse__Output>
      RemoveHookRequest: MessageTypeDefinition<_lockstep_v1_RemoveHookRequest, _lockstep_v1_RemoveHookRequest__Output>
      RemoveHookResponse: MessageTypeDefinition<_lockstep_v1_RemoveHookResponse, _lockstep_v1_RemoveHookResponse__Output>
      RemoveRepositoryRequest: MessageTypeDefinition<_lockstep_v1_RemoveRepositoryRequest, _lockstep_v1_RemoveRepositoryRequest__Output>
      RemoveRepositoryResponse: MessageTypeDefinition<_lockstep_v1_RemoveRepositoryResponse, _lockstep_v1_RemoveRepositoryResponse__Output>
      RemovedRepository: MessageTypeDefinition<_lockstep_v1_RemovedRepository, _lockstep_v1_RemovedRepository__Output>
      RenameRepositoryRequest: MessageTypeDefinition<_lockstep_v1_RenameRepositoryRequest, _lockstep_v1_RenameRepositoryRequest__Output>
      RenameRepositoryResponse: MessageTypeDefinition<_lockstep_v1_RenameRepositoryResponse, _lockstep_v1_RenameRepositoryResponse__Output>
      RenewWriteRequest: MessageTypeDefinition<_lockstep_v1_RenewWriteRequest, _lockstep_v1_RenewWriteRequest__Output>
      RenewWriteResponse: MessageTypeDefinition<_lockstep_v1_RenewWriteResponse, _lockstep_v1_RenewWriteResponse__Output>
      Replica: MessageTypeDefinition<_lockstep_v1_Replica, _lockstep_v1_Replica__Output>
      ReplicaState: EnumTypeDefinition
      ReportDamageRequest: MessageTypeDefinition<_lockstep_v1_ReportDamageRequest, _lockstep_v1_ReportDamageRequest__Output>
      ReportDamageResponse: MessageTypeDefinition<_lockstep_v1_ReportDamageResponse, _lockstep_v1_ReportDamageResponse__Output>
      ReportReadsRequest: MessageTypeDefinition<_lockstep_v1_ReportReadsRequest, _lockstep_v1_ReportReadsRequest__Output>
      ReportReadsResponse: MessageTypeDefinition<_lockstep_v1_ReportReadsResponse, _lockstep_v1_ReportReadsResponse__Output>
      ReportRefusalsRequest: MessageTypeDefinition<_lockstep_v1_ReportRefusalsRequest, _lockstep_v1_ReportRefusalsRequest__Output>
      ReportRefusalsResponse: MessageTypeDefinition<_lockstep_v1_ReportRefusalsResponse, _lockstep_v1_ReportRefusalsResponse__Output>
      Repository: MessageTypeDefinition<_lockstep_v1_Repository, _lockstep_v1_Repository__Output>
      RepositoryStatus: MessageTypeDefinition<_lockstep_v1_RepositoryStatus, _lockstep_v1_RepositoryStatus__Output>
      RestoreRepositoryRequest: MessageTypeDefinition<_lockstep_v1_RestoreRepositoryRequest, _lockstep_v1_RestoreRepositoryRequest__Output>
      RestoreRepositoryResponse: MessageTypeDefinition<_lockstep_v1_RestoreRepositoryResponse, _lockstep_v1_RestoreRepositoryResponse__Output>
      RetentionRule: MessageTypeDefinition<_lockstep_v1_RetentionRule, _lockstep_v1_RetentionRule__Output>
      RevokeKeyRequest: MessageTypeDefinition<_lockstep_v1_RevokeKeyRequest, _lockstep_v1_RevokeKeyRequest__Output>
      RevokeKeyResponse: MessageTypeDefinition<_lockstep_v1_RevokeKeyResponse, _lockstep_v1_RevokeKeyResponse__Output>
      Scrub: MessageTypeDefinition<_lockstep_v1_Scrub, _lockstep_v1_Scrub__Output>
      SetDeviceRequest: MessageTypeDefinition<_lockstep_v1_SetDeviceRequest, _lockstep_v1_SetDeviceRequest__Output>
      SetDeviceResponse: MessageTypeDefinition<_lockstep_v1_SetDeviceResponse, _lockstep_v1_SetDeviceResponse__Output>
      SetRepositoryRequest: MessageTypeDefinition<_lockstep_v1_SetRepositoryRequest, _lockstep_v1_SetRepositoryRequest__Output>
      SetRepositoryResponse: MessageTypeDefinition<_lockstep_v1_SetRepositoryResponse, _lockstep_v1_SetRepositoryResponse__Output>
      SetRetentionRequest: MessageTypeDefinition<_lockstep_v1_SetRetentionRequest, _lockstep_v1_SetRetentionRequest__Output>
      SetRetentionResponse: MessageTypeDefinition<_lockstep_v1_SetRetentionResponse, _lockstep_v1_SetRetentionResponse__Output>
      StopWritesProgress: MessageTypeDefinition<_lockstep_v1_StopWritesProgress, _lockstep_v1_StopWritesProgress__Output>
      StopWritesRequest: MessageTypeDefinition<_lockstep_v1_StopWritesRequest, _lockstep_v1_StopWritesRequest__Output>
      StopWritesResponse: MessageTypeDefinition<_lockstep_v1_StopWritesResponse, _lockstep_v1_StopWritesResponse__Output>
      StopWritesResult: MessageTypeDefinition<_lockstep_v1_StopWritesResult, _lockstep_v1_StopWritesResult__Output>
      SyncEvent: MessageTypeDefinition<_lockstep_v1_SyncEvent, _lockstep_v1_SyncEvent__Output>
      SyncService: SubtypeConstructor<typeof grpc.Client, _lockstep_v1_SyncServiceClient> & { service: _lockstep_v1_SyncServiceDefinition }
      ThawRequest: MessageTypeDefinition<_lockstep_v1_ThawRequest, _lockstep_v1_ThawRequest__Output>
      ThawResponse: MessageTypeDefinition<_lockstep_v1_ThawResponse, _lockstep_v1_ThawResponse__Output>
      TrustKeyRequest: MessageTypeDefinition<_lockstep_v1_TrustKeyRequest, _lockstep_v1_TrustKeyRequest__Output>
      TrustKeyResponse: MessageTypeDefinition<_lockstep_v1_TrustKeyResponse, _lockstep_v1_TrustKeyResponse__Output>
      UndoVersionRequest: MessageTypeDefinition<_lockstep_v1_UndoVersionRequest, _lockstep_v1_UndoVersionRequest__Output>
      UndoVersionResponse: MessageTypeDefinition<_lockstep_v1_UndoVersionResponse, _lockstep_v1_UndoVersionResponse__Output>
      UndrainDeviceRequest: MessageTypeDefinition<_lockstep_v1_UndrainDeviceRequest, _lockstep_v1_UndrainDeviceRequest__Output>
      UndrainDeviceResponse: MessageTypeDefinition<_lockstep_v1_UndrainDeviceResponse, _lockstep_v1_UndrainDeviceResponse__Output>
      UnknownDirectory: MessageTypeDefinition<_lockstep_v1_UnknownDirectory, _lockstep_v1_UnknownDirectory__Output>
      VerifyAuditRequest: MessageTypeDefinition<_lockstep_v1_VerifyAuditRequest, _lockstep_v1_VerifyAuditRequest__Output>
      VerifyAuditResponse: MessageTypeDefinition<_lockstep_v1_VerifyAuditResponse, _lockstep_v1_VerifyAuditResponse__Output>
      VerifyReplicaRequest: MessageTypeDefinition<_lockstep_v1_VerifyReplicaRequest, _lockstep_v1_VerifyReplicaRequest__Output>
      VerifyReplicaResponse: MessageTypeDefinition<_lockstep_v1_VerifyReplicaResponse, _lockstep_v1_VerifyReplicaResponse__Output>
      Visible: EnumTypeDefinition
      Waiter: MessageTypeDefinition<_lockstep_v1_Waiter, _lockstep_v1_Waiter__Output>
      WaitingKey: MessageTypeDefinition<_lockstep_v1_WaitingKey, _lockstep_v1_WaitingKey__Output>
      Waits: MessageTypeDefinition<_lockstep_v1_Waits, _lockstep_v1_Waits__Output>
      WatchCommandsRequest: MessageTypeDefinition<_lockstep_v1_WatchCommandsRequest, _lockstep_v1_WatchCommandsRequest__Output>
      WatchCommandsResponse: MessageTypeDefinition<_lockstep_v1_WatchCommandsResponse, _lockstep_v1_WatchCommandsResponse__Output>
      WatchRequest: MessageTypeDefinition<_lockstep_v1_WatchRequest, _lockstep_v1_WatchRequest__Output>
      WatchResponse: MessageTypeDefinition<_lockstep_v1_WatchResponse, _lockstep_v1_WatchResponse__Output>
      Write: MessageTypeDefinition<_lockstep_v1_Write, _lockstep_v1_Write__Output>
      WriteLock: MessageTypeDefinition<_lockstep_v1_WriteLock, _lockstep_v1_WriteLock__Output>
      WriteStatus: EnumTypeDefinition
    }
  }
}


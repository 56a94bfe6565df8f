// Original file: proto/lockstep/v1/cluster.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AllowWritesRequest as _lockstep_v1_AllowWritesRequest, AllowWritesRequest__Output as _lockstep_v1_AllowWritesRequest__Output } from '../../lockstep/v1/AllowWritesRequest.ts';
import type { AllowWritesResponse as _lockstep_v1_AllowWritesResponse, AllowWritesResponse__Output as _lockstep_v1_AllowWritesResponse__Output } from '../../lockstep/v1/AllowWritesResponse.ts';
import type { CreateRepositoryRequest as _lockstep_v1_CreateRepositoryRequest, CreateRepositoryRequest__Output as _lockstep_v1_CreateRepositoryRequest__Output } from '../../lockstep/v1/CreateRepositoryRequest.ts';
import type { CreateRepositoryResponse as _lockstep_v1_CreateRepositoryResponse, CreateRepositoryResponse__Output as _lockstep_v1_CreateRepositoryResponse__Output } from '../../lockstep/v1/CreateRepositoryResponse.ts';
import type { EnqueueCommandRequest as _lockstep_v1_EnqueueCommandRequest, EnqueueCommandRequest__Output as _lockstep_v1_EnqueueCommandRequest__Output } from '../../lockstep/v1/EnqueueCommandRequest.ts';
import type { EnqueueCommandResponse as _lockstep_v1_EnqueueCommandResponse, EnqueueCommandResponse__Output as _lockstep_v1_EnqueueCommandResponse__Output } from '../../lockstep/v1/EnqueueCommandResponse.ts';
import type { GetCommandRequest as _lockstep_v1_GetCommandRequest, GetCommandRequest__Output as _lockstep_v1_GetCommandRequest__Output } from '../../lockstep/v1/GetCommandRequest.ts';
import type { GetCommandResponse as _lockstep_v1_GetCommandResponse, GetCommandResponse__Output as _lockstep_v1_GetCommandResponse__Output } from '../../lockstep/v1/GetCommandResponse.ts';
import type { GetRepositoryRequest as _lockstep_v1_GetRepositoryRequest, GetRepositoryRequest__Output as _lockstep_v1_GetRepositoryRequest__Output } from '../../lockstep/v1/GetRepositoryRequest.ts';
import type { GetRepositoryResponse as _lockstep_v1_GetRepositoryResponse, GetRepositoryResponse__Output as _lockstep_v1_GetRepositoryResponse__Output } from '../../lockstep/v1/GetRepositoryResponse.ts';
import type { GetStatusRequest as _lockstep_v1_GetStatusRequest, GetStatusRequest__Output as _lockstep_v1_GetStatusRequest__Output } from '../../lockstep/v1/GetStatusRequest.ts';
import type { GetStatusResponse as _lockstep_v1_GetStatusResponse, GetStatusResponse__Output as _lockstep_v1_GetStatusResponse__Output } from '../../lockstep/v1/GetStatusResponse.ts';
import type { ListCommandsRequest as _lockstep_v1_ListCommandsRequest, ListCommandsRequest__Output as _lockstep_v1_ListCommandsRequest__Output } from '../../lockstep/v1/ListCommandsRequest.ts';
import type { ListCommandsResponse as _lockstep_v1_ListCommandsResponse, ListCommandsResponse__Output as _lockstep_v1_ListCommandsResponse__Output } from '../../lockstep/v1/ListCommandsResponse.ts';
import type { ListLogRequest as _lockstep_v1_ListLogRequest, ListLogRequest__Output as _lockstep_v1_ListLogRequest__Output } from '../../lockstep/v1/ListLogRequest.ts';
import type { ListLogResponse as _lockstep_v1_ListLogResponse, ListLogResponse__Output as _lockstep_v1_ListLogResponse__Output } from '../../lockstep/v1/ListLogResponse.ts';
import type { ListRepositoriesRequest as _lockstep_v1_ListRepositoriesRequest, ListRepositoriesRequest__Output as _lockstep_v1_ListRepositoriesRequest__Output } from '../../lockstep/v1/ListRepositoriesRequest.ts';
import type { ListRepositoriesResponse as _lockstep_v1_ListRepositoriesResponse, ListRepositoriesResponse__Output as _lockstep_v1_ListRepositoriesResponse__Output } from '../../lockstep/v1/ListRepositoriesResponse.ts';
import type { SetRepositoryRequest as _lockstep_v1_SetRepositoryRequest, SetRepositoryRequest__Output as _lockstep_v1_SetRepositoryRequest__Output } from '../../lockstep/v1/SetRepositoryRequest.ts';
import type { SetRepositoryResponse as _lockstep_v1_SetRepositoryResponse, SetRepositoryResponse__Output as _lockstep_v1_SetRepositoryResponse__Output } from '../../lockstep/v1/SetRepositoryResponse.ts';
import type { StopWritesRequest as _lockstep_v1_StopWritesRequest, StopWritesRequest__Output as _lockstep_v1_StopWritesRequest__Output } from '../../lockstep/v1/StopWritesRequest.ts';
import type { StopWritesResponse as _lockstep_v1_StopWritesResponse, StopWritesResponse__Output as _lockstep_v1_StopWritesResponse__Output } from '../../lockstep/v1/StopWritesResponse.ts';
import type { ThawRequest as _lockstep_v1_ThawRequest, ThawRequest__Output as _lockstep_v1_ThawRequest__Output } from '../../lockstep/v1/ThawRequest.ts';
import type { ThawResponse as _lockstep_v1_ThawResponse, ThawResponse__Output as _lockstep_v1_ThawResponse__Output } from '../../lockstep/v1/ThawResponse.ts';
import type { UndoVersionRequest as _lockstep_v1_UndoVersionRequest, UndoVersionRequest__Output as _lockstep_v1_UndoVersionRequest__Output } from '../../lockstep/v1/UndoVersionRequest.ts';
import type { UndoVersionResponse as _lockstep_v1_UndoVersionResponse, UndoVersionResponse__Output as _lockstep_v1_UndoVersionResponse__Output } from '../../lockstep/v1/UndoVersionResponse.ts';
import type { VerifyReplicaRequest as _lockstep_v1_VerifyReplicaRequest, VerifyReplicaRequest__Output as _lockstep_v1_VerifyReplicaRequest__Output } from '../../lockstep/v1/VerifyReplicaRequest.ts';
import type { VerifyReplicaResponse as _lockstep_v1_VerifyReplicaResponse, VerifyReplicaResponse__Output as _lockstep_v1_VerifyReplicaResponse__Output } from '../../lockstep/v1/VerifyReplicaResponse.ts';
import type { WatchCommandsRequest as _lockstep_v1_WatchCommandsRequest, WatchCommandsRequest__Output as _lockstep_v1_WatchCommandsRequest__Output } from '../../lockstep/v1/WatchCommandsRequest.ts';
import type { WatchCommandsResponse as _lockstep_v1_WatchCommandsResponse, WatchCommandsResponse__Output as _lockstep_v1_WatchCommandsResponse__Output } from '../../lockstep/v1/WatchCommandsResponse.ts';

export interface ClusterServiceClient extends grpc.Client {
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
  
  EnqueueCommand(argument: _lockstep_v1_EnqueueCommandRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_EnqueueCommandResponse__Output>): grpc.ClientUnaryCall;
  EnqueueCommand(argument: _lockstep_v1_EnqueueCommandRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_EnqueueCommandResponse__Output>): grpc.ClientUnaryCall;
  EnqueueCommand(argument: _lockstep_v1_EnqueueCommandRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_EnqueueCommandResponse__Output>): grpc.ClientUnaryCall;
  EnqueueCommand(argument: _lockstep_v1_EnqueueCommandRequest, callback: grpc.requestCallback<_lockstep_v1_EnqueueCommandResponse__Output>): grpc.ClientUnaryCall;
  enqueueCommand(argument: _lockstep_v1_EnqueueCommandRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_EnqueueCommandResponse__Output>): grpc.ClientUnaryCall;
  enqueueCommand(argument: _lockstep_v1_EnqueueCommandRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_EnqueueCommandResponse__Output>): grpc.ClientUnaryCall;
  enqueueCommand(argument: _lockstep_v1_EnqueueCommandRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_EnqueueCommandResponse__Output>): grpc.ClientUnaryCall;
  enqueueCommand(argument: _lockstep_v1_EnqueueCommandRequest, callback: grpc.requestCallback<_lockstep_v1_EnqueueCommandResponse__Output>): grpc.ClientUnaryCall;
  
  GetCommand(argument: _lockstep_v1_GetCommandRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetCommandResponse__Output>): grpc.ClientUnaryCall;
  GetCommand(argument: _lockstep_v1_GetCommandRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_GetCommandResponse__Output>): grpc.ClientUnaryCall;
  GetCommand(argument: _lockstep_v1_GetCommandRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetCommandResponse__Output>): grpc.ClientUnaryCall;
  GetCommand(argument: _lockstep_v1_GetCommandRequest, callback: grpc.requestCallback<_lockstep_v1_GetCommandResponse__Output>): grpc.ClientUnaryCall;
  getCommand(argument: _lockstep_v1_GetCommandRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetCommandResponse__Output>): grpc.ClientUnaryCall;
  getCommand(argument: _lockstep_v1_GetCommandRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_GetCommandResponse__Output>): grpc.ClientUnaryCall;
  getCommand(argument: _lockstep_v1_GetCommandRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetCommandResponse__Output>): grpc.ClientUnaryCall;
  getCommand(argument: _lockstep_v1_GetCommandRequest, callback: grpc.requestCallback<_lockstep_v1_GetCommandResponse__Output>): grpc.ClientUnaryCall;
  
  GetRepository(argument: _lockstep_v1_GetRepositoryRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  GetRepository(argument: _lockstep_v1_GetRepositoryRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_GetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  GetRepository(argument: _lockstep_v1_GetRepositoryRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  GetRepository(argument: _lockstep_v1_GetRepositoryRequest, callback: grpc.requestCallback<_lockstep_v1_GetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  getRepository(argument: _lockstep_v1_GetRepositoryRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  getRepository(argument: _lockstep_v1_GetRepositoryRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_GetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  getRepository(argument: _lockstep_v1_GetRepositoryRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  getRepository(argument: _lockstep_v1_GetRepositoryRequest, callback: grpc.requestCallback<_lockstep_v1_GetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  
  GetStatus(argument: _lockstep_v1_GetStatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _lockstep_v1_GetStatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _lockstep_v1_GetStatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _lockstep_v1_GetStatusRequest, callback: grpc.requestCallback<_lockstep_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _lockstep_v1_GetStatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _lockstep_v1_GetStatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _lockstep_v1_GetStatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _lockstep_v1_GetStatusRequest, callback: grpc.requestCallback<_lockstep_v1_GetStatusResponse__Output>): grpc.ClientUnaryCall;
  
  ListCommands(argument: _lockstep_v1_ListCommandsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListCommandsResponse__Output>): grpc.ClientUnaryCall;
  ListCommands(argument: _lockstep_v1_ListCommandsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListCommandsResponse__Output>): grpc.ClientUnaryCall;
  ListCommands(argument: _lockstep_v1_ListCommandsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListCommandsResponse__Output>): grpc.ClientUnaryCall;
  ListCommands(argument: _lockstep_v1_ListCommandsRequest, callback: grpc.requestCallback<_lockstep_v1_ListCommandsResponse__Output>): grpc.ClientUnaryCall;
  listCommands(argument: _lockstep_v1_ListCommandsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListCommandsResponse__Output>): grpc.ClientUnaryCall;
  listCommands(argument: _lockstep_v1_ListCommandsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListCommandsResponse__Output>): grpc.ClientUnaryCall;
  listCommands(argument: _lockstep_v1_ListCommandsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListCommandsResponse__Output>): grpc.ClientUnaryCall;
  listCommands(argument: _lockstep_v1_ListCommandsRequest, callback: grpc.requestCallback<_lockstep_v1_ListCommandsResponse__Output>): grpc.ClientUnaryCall;
  
  ListLog(argument: _lockstep_v1_ListLogRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListLogResponse__Output>): grpc.ClientUnaryCall;
  ListLog(argument: _lockstep_v1_ListLogRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListLogResponse__Output>): grpc.ClientUnaryCall;
  ListLog(argument: _lockstep_v1_ListLogRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListLogResponse__Output>): grpc.ClientUnaryCall;
  ListLog(argument: _lockstep_v1_ListLogRequest, callback: grpc.requestCallback<_lockstep_v1_ListLogResponse__Output>): grpc.ClientUnaryCall;
  listLog(argument: _lockstep_v1_ListLogRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListLogResponse__Output>): grpc.ClientUnaryCall;
  listLog(argument: _lockstep_v1_ListLogRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListLogResponse__Output>): grpc.ClientUnaryCall;
  listLog(argument: _lockstep_v1_ListLogRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListLogResponse__Output>): grpc.ClientUnaryCall;
  listLog(argument: _lockstep_v1_ListLogRequest, callback: grpc.requestCallback<_lockstep_v1_ListLogResponse__Output>): grpc.ClientUnaryCall;
  
  ListRepositories(argument: _lockstep_v1_ListRepositoriesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  ListRepositories(argument: _lockstep_v1_ListRepositoriesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  ListRepositories(argument: _lockstep_v1_ListRepositoriesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  ListRepositories(argument: _lockstep_v1_ListRepositoriesRequest, callback: grpc.requestCallback<_lockstep_v1_ListRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  listRepositories(argument: _lockstep_v1_ListRepositoriesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  listRepositories(argument: _lockstep_v1_ListRepositoriesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ListRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  listRepositories(argument: _lockstep_v1_ListRepositoriesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ListRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  listRepositories(argument: _lockstep_v1_ListRepositoriesRequest, callback: grpc.requestCallback<_lockstep_v1_ListRepositoriesResponse__Output>): grpc.ClientUnaryCall;
  
  SetRepository(argument: _lockstep_v1_SetRepositoryRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_SetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  SetRepository(argument: _lockstep_v1_SetRepositoryRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_SetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  SetRepository(argument: _lockstep_v1_SetRepositoryRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_SetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  SetRepository(argument: _lockstep_v1_SetRepositoryRequest, callback: grpc.requestCallback<_lockstep_v1_SetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  setRepository(argument: _lockstep_v1_SetRepositoryRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_SetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  setRepository(argument: _lockstep_v1_SetRepositoryRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_SetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  setRepository(argument: _lockstep_v1_SetRepositoryRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_SetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  setRepository(argument: _lockstep_v1_SetRepositoryRequest, callback: grpc.requestCallback<_lockstep_v1_SetRepositoryResponse__Output>): grpc.ClientUnaryCall;
  
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
  
  UndoVersion(argument: _lockstep_v1_UndoVersionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_UndoVersionResponse__Output>): grpc.ClientUnaryCall;
  UndoVersion(argument: _lockstep_v1_UndoVersionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_UndoVersionResponse__Output>): grpc.ClientUnaryCall;
  UndoVersion(argument: _lockstep_v1_UndoVersionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_UndoVersionResponse__Output>): grpc.ClientUnaryCall;
  UndoVersion(argument: _lockstep_v1_UndoVersionRequest, callback: grpc.requestCallback<_lockstep_v1_UndoVersionResponse__Output>): grpc.ClientUnaryCall;
  undoVersion(argument: _lockstep_v1_UndoVersionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_UndoVersionResponse__Output>): grpc.ClientUnaryCall;
  undoVersion(argument: _lockstep_v1_UndoVersionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_UndoVersionResponse__Output>): grpc.ClientUnaryCall;
  undoVersion(argument: _lockstep_v1_UndoVersionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_UndoVersionResponse__Output>): grpc.ClientUnaryCall;
  undoVersion(argument: _lockstep_v1_UndoVersionRequest, callback: grpc.requestCallback<_lockstep_v1_UndoVersionResponse__Output>): grpc.ClientUnaryCall;
  
  VerifyReplica(argument: _lockstep_v1_VerifyReplicaRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_VerifyReplicaResponse__Output>): grpc.ClientUnaryCall;
  VerifyReplica(argument: _lockstep_v1_VerifyReplicaRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_VerifyReplicaResponse__Output>): grpc.ClientUnaryCall;
  VerifyReplica(argument: _lockstep_v1_VerifyReplicaRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_VerifyReplicaResponse__Output>): grpc.ClientUnaryCall;
  VerifyReplica(argument: _lockstep_v1_VerifyReplicaRequest, callback: grpc.requestCallback<_lockstep_v1_VerifyReplicaResponse__Output>): grpc.ClientUnaryCall;
  verifyReplica(argument: _lockstep_v1_VerifyReplicaRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_VerifyReplicaResponse__Output>): grpc.ClientUnaryCall;
  verifyReplica(argument: _lockstep_v1_VerifyReplicaRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_VerifyReplicaResponse__Output>): grpc.ClientUnaryCall;
  verifyReplica(argument: _lockstep_v1_VerifyReplicaRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_VerifyReplicaResponse__Output>): grpc.ClientUnaryCall;
  verifyReplica(argument: _lockstep_v1_VerifyReplicaRequest, callback: grpc.requestCallback<_lockstep_v1_VerifyReplicaResponse__Output>): grpc.ClientUnaryCall;
  
  WatchCommands(argument: _lockstep_v1_WatchCommandsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_WatchCommandsResponse__Output>;
  WatchCommands(argument: _lockstep_v1_WatchCommandsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_WatchCommandsResponse__Output>;
  watchCommands(argument: _lockstep_v1_WatchCommandsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_WatchCommandsResponse__Output>;
  watchCommands(argument: _lockstep_v1_WatchCommandsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_WatchCommandsResponse__Output>;
  
}

export interface ClusterServiceHandlers extends grpc.UntypedServiceImplementation {
  AllowWrites: grpc.handleUnaryCall<_lockstep_v1_AllowWritesRequest__Output, _lockstep_v1_AllowWritesResponse>;
  
  CreateRepository: grpc.handleUnaryCall<_lockstep_v1_CreateRepositoryRequest__Output, _lockstep_v1_CreateRepositoryResponse>;
  
  EnqueueCommand: grpc.handleUnaryCall<_lockstep_v1_EnqueueCommandRequest__Output, _lockstep_v1_EnqueueCommandResponse>;
  
  GetCommand: grpc.handleUnaryCall<_lockstep_v1_GetCommandRequest__Output, _lockstep_v1_GetCommandResponse>;
  
  GetRepository: grpc.handleUnaryCall<_lockstep_v1_GetRepositoryRequest__Output, _lockstep_v1_GetRepositoryResponse>;
  
  GetStatus: grpc.handleUnaryCall<_lockstep_v1_GetStatusRequest__Output, _lockstep_v1_GetStatusResponse>;
  
  ListCommands: grpc.handleUnaryCall<_lockstep_v1_ListCommandsRequest__Output, _lockstep_v1_ListCommandsResponse>;
  
  ListLog: grpc.handleUnaryCall<_lockstep_v1_ListLogRequest__Output, _lockstep_v1_ListLogResponse>;
  
  ListRepositories: grpc.handleUnaryCall<_lockstep_v1_ListRepositoriesRequest__Output, _lockstep_v1_ListRepositoriesResponse>;
  
  SetRepository: grpc.handleUnaryCall<_lockstep_v1_SetRepositoryRequest__Output, _lockstep_v1_SetRepositoryResponse>;
  
  StopWrites: grpc.handleServerStreamingCall<_lockstep_v1_StopWritesRequest__Output, _lockstep_v1_StopWritesResponse>;
  
  Thaw: grpc.handleUnaryCall<_lockstep_v1_ThawRequest__Output, _lockstep_v1_ThawResponse>;
  
  UndoVersion: grpc.handleUnaryCall<_lockstep_v1_UndoVersionRequest__Output, _lockstep_v1_UndoVersionResponse>;
  
  VerifyReplica: grpc.handleUnaryCall<_lockstep_v1_VerifyReplicaRequest__Output, _lockstep_v1_VerifyReplicaResponse>;
  
  WatchCommands: grpc.handleServerStreamingCall<_lockstep_v1_WatchCommandsRequest__Output, _lockstep_v1_WatchCommandsResponse>;
  
}

export interface ClusterServiceDefinition extends grpc.ServiceDefinition {
  AllowWrites: MethodDefinition<_lockstep_v1_AllowWritesRequest, _lockstep_v1_AllowWritesResponse, _lockstep_v1_AllowWritesRequest__Output, _lockstep_v1_AllowWritesResponse__Output>
  CreateRepository: MethodDefinition<_lockstep_v1_CreateRepositoryRequest, _lockstep_v1_CreateRepositoryResponse, _lockstep_v1_CreateRepositoryRequest__Output, _lockstep_v1_CreateRepositoryResponse__Output>
  EnqueueCommand: MethodDefinition<_lockstep_v1_EnqueueCommandRequest, _lockstep_v1_EnqueueCommandResponse, _lockstep_v1_EnqueueCommandRequest__Output, _lockstep_v1_EnqueueCommandResponse__Output>
  GetCommand: MethodDefinition<_lockstep_v1_GetCommandRequest, _lockstep_v1_GetCommandResponse, _lockstep_v1_GetCommandRequest__Output, _lockstep_v1_GetCommandResponse__Output>
  GetRepository: MethodDefinition<_lockstep_v1_GetRepositoryRequest, _lockstep_v1_GetRepositoryResponse, _lockstep_v1_GetRepositoryRequest__Output, _lockstep_v1_GetRepositoryResponse__Output>
  GetStatus: MethodDefinition<_lockstep_v1_GetStatusRequest, _lockstep_v1_GetStatusResponse, _lockstep_v1_GetStatusRequest__Output, _lockstep_v1_GetStatusResponse__Output>
  ListCommands: MethodDefinition<_lockstep_v1_ListCommandsRequest, _lockstep_v1_ListCommandsResponse, _lockstep_v1_ListCommandsRequest__Output, _lockstep_v1_ListCommandsResponse__Output>
  ListLog: MethodDefinition<_lockstep_v1_ListLogRequest, _lockstep_v1_ListLogResponse, _lockstep_v1_ListLogRequest__Output, _lockstep_v1_ListLogResponse__Output>
  ListRepositories: MethodDefinition<_lockstep_v1_ListRepositoriesRequest, _lockstep_v1_ListRepositoriesResponse, _lockstep_v1_ListRepositoriesRequest__Output, _lockstep_v1_ListRepositoriesResponse__Output>
  SetRepository: MethodDefinition<_lockstep_v1_SetRepositoryRequest, _lockstep_v1_SetRepositoryResponse, _lockstep_v1_SetRepositoryRequest__Output, _lockstep_v1_SetRepositoryResponse__Output>
  StopWrites: MethodDefinition<_lockstep_v1_StopWritesRequest, _lockstep_v1_StopWritesResponse, _lockstep_v1_StopWritesRequest__Output, _lockstep_v1_StopWritesResponse__Output>
  Thaw: MethodDefinition<_lockstep_v1_ThawRequest, _lockstep_v1_ThawResponse, _lockstep_v1_ThawRequest__Output, _lockstep_v1_ThawResponse__Output>
  UndoVersion: MethodDefinition<_lockstep_v1_UndoVersionRequest, _lockstep_v1_UndoVersionResponse, _lockstep_v1_UndoVersionRequest__Output, _lockstep_v1_UndoVersionResponse__Output>
  VerifyReplica: MethodDefinition<_lockstep_v1_VerifyReplicaRequest, _lockstep_v1_VerifyReplicaResponse, _lockstep_v1_VerifyReplicaRequest__Output, _lockstep_v1_VerifyReplicaResponse__Output>
  WatchCommands: MethodDefinition<_lockstep_v1_WatchCommandsRequest, _lockstep_v1_WatchCommandsResponse, _lockstep_v1_WatchCommandsRequest__Output, _lockstep_v1_WatchCommandsResponse__Output>
}

// Original file: proto/lockstep/v1/sync.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AbortWriteRequest as _lockstep_v1_AbortWriteRequest, AbortWriteRequest__Output as _lockstep_v1_AbortWriteRequest__Output } from '../../lockstep/v1/AbortWriteRequest.ts';
import type { AbortWriteResponse as _lockstep_v1_AbortWriteResponse, AbortWriteResponse__Output as _lockstep_v1_AbortWriteResponse__Output } from '../../lockstep/v1/AbortWriteResponse.ts';
import type { BeforeReadRequest as _lockstep_v1_BeforeReadRequest, BeforeReadRequest__Output as _lockstep_v1_BeforeReadRequest__Output } from '../../lockstep/v1/BeforeReadRequest.ts';
import type { BeforeReadResponse as _lockstep_v1_BeforeReadResponse, BeforeReadResponse__Output as _lockstep_v1_BeforeReadResponse__Output } from '../../lockstep/v1/BeforeReadResponse.ts';
import type { BeginWriteRequest as _lockstep_v1_BeginWriteRequest, BeginWriteRequest__Output as _lockstep_v1_BeginWriteRequest__Output } from '../../lockstep/v1/BeginWriteRequest.ts';
import type { BeginWriteResponse as _lockstep_v1_BeginWriteResponse, BeginWriteResponse__Output as _lockstep_v1_BeginWriteResponse__Output } from '../../lockstep/v1/BeginWriteResponse.ts';
import type { BumpVersionRequest as _lockstep_v1_BumpVersionRequest, BumpVersionRequest__Output as _lockstep_v1_BumpVersionRequest__Output } from '../../lockstep/v1/BumpVersionRequest.ts';
import type { BumpVersionResponse as _lockstep_v1_BumpVersionResponse, BumpVersionResponse__Output as _lockstep_v1_BumpVersionResponse__Output } from '../../lockstep/v1/BumpVersionResponse.ts';
import type { FetchFromRequest as _lockstep_v1_FetchFromRequest, FetchFromRequest__Output as _lockstep_v1_FetchFromRequest__Output } from '../../lockstep/v1/FetchFromRequest.ts';
import type { FetchFromResponse as _lockstep_v1_FetchFromResponse, FetchFromResponse__Output as _lockstep_v1_FetchFromResponse__Output } from '../../lockstep/v1/FetchFromResponse.ts';
import type { GetVersionRequest as _lockstep_v1_GetVersionRequest, GetVersionRequest__Output as _lockstep_v1_GetVersionRequest__Output } from '../../lockstep/v1/GetVersionRequest.ts';
import type { GetVersionResponse as _lockstep_v1_GetVersionResponse, GetVersionResponse__Output as _lockstep_v1_GetVersionResponse__Output } from '../../lockstep/v1/GetVersionResponse.ts';
import type { GetWriteRequest as _lockstep_v1_GetWriteRequest, GetWriteRequest__Output as _lockstep_v1_GetWriteRequest__Output } from '../../lockstep/v1/GetWriteRequest.ts';
import type { GetWriteResponse as _lockstep_v1_GetWriteResponse, GetWriteResponse__Output as _lockstep_v1_GetWriteResponse__Output } from '../../lockstep/v1/GetWriteResponse.ts';
import type { RenewWriteRequest as _lockstep_v1_RenewWriteRequest, RenewWriteRequest__Output as _lockstep_v1_RenewWriteRequest__Output } from '../../lockstep/v1/RenewWriteRequest.ts';
import type { RenewWriteResponse as _lockstep_v1_RenewWriteResponse, RenewWriteResponse__Output as _lockstep_v1_RenewWriteResponse__Output } from '../../lockstep/v1/RenewWriteResponse.ts';

export interface SyncServiceClient extends grpc.Client {
  AbortWrite(argument: _lockstep_v1_AbortWriteRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_AbortWriteResponse__Output>): grpc.ClientUnaryCall;
  AbortWrite(argument: _lockstep_v1_AbortWriteRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_AbortWriteResponse__Output>): grpc.ClientUnaryCall;
  AbortWrite(argument: _lockstep_v1_AbortWriteRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_AbortWriteResponse__Output>): grpc.ClientUnaryCall;
  AbortWrite(argument: _lockstep_v1_AbortWriteRequest, callback: grpc.requestCallback<_lockstep_v1_AbortWriteResponse__Output>): grpc.ClientUnaryCall;
  abortWrite(argument: _lockstep_v1_AbortWriteRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_AbortWriteResponse__Output>): grpc.ClientUnaryCall;
  abortWrite(argument: _lockstep_v1_AbortWriteRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_AbortWriteResponse__Output>): grpc.ClientUnaryCall;
  abortWrite(argument: _lockstep_v1_AbortWriteRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_AbortWriteResponse__Output>): grpc.ClientUnaryCall;
  abortWrite(argument: _lockstep_v1_AbortWriteRequest, callback: grpc.requestCallback<_lockstep_v1_AbortWriteResponse__Output>): grpc.ClientUnaryCall;
  
  BeforeRead(argument: _lockstep_v1_BeforeReadRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_BeforeReadResponse__Output>): grpc.ClientUnaryCall;
  BeforeRead(argument: _lockstep_v1_BeforeReadRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_BeforeReadResponse__Output>): grpc.ClientUnaryCall;
  BeforeRead(argument: _lockstep_v1_BeforeReadRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_BeforeReadResponse__Output>): grpc.ClientUnaryCall;
  BeforeRead(argument: _lockstep_v1_BeforeReadRequest, callback: grpc.requestCallback<_lockstep_v1_BeforeReadResponse__Output>): grpc.ClientUnaryCall;
  beforeRead(argument: _lockstep_v1_BeforeReadRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_BeforeReadResponse__Output>): grpc.ClientUnaryCall;
  beforeRead(argument: _lockstep_v1_BeforeReadRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_BeforeReadResponse__Output>): grpc.ClientUnaryCall;
  beforeRead(argument: _lockstep_v1_BeforeReadRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_BeforeReadResponse__Output>): grpc.ClientUnaryCall;
  beforeRead(argument: _lockstep_v1_BeforeReadRequest, callback: grpc.requestCallback<_lockstep_v1_BeforeReadResponse__Output>): grpc.ClientUnaryCall;
  
  BeginWrite(argument: _lockstep_v1_BeginWriteRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_BeginWriteResponse__Output>): grpc.ClientUnaryCall;
  BeginWrite(argument: _lockstep_v1_BeginWriteRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_BeginWriteResponse__Output>): grpc.ClientUnaryCall;
  BeginWrite(argument: _lockstep_v1_BeginWriteRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_BeginWriteResponse__Output>): grpc.ClientUnaryCall;
  BeginWrite(argument: _lockstep_v1_BeginWriteRequest, callback: grpc.requestCallback<_lockstep_v1_BeginWriteResponse__Output>): grpc.ClientUnaryCall;
  beginWrite(argument: _lockstep_v1_BeginWriteRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_BeginWriteResponse__Output>): grpc.ClientUnaryCall;
  beginWrite(argument: _lockstep_v1_BeginWriteRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_BeginWriteResponse__Output>): grpc.ClientUnaryCall;
  beginWrite(argument: _lockstep_v1_BeginWriteRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_BeginWriteResponse__Output>): grpc.ClientUnaryCall;
  beginWrite(argument: _lockstep_v1_BeginWriteRequest, callback: grpc.requestCallback<_lockstep_v1_BeginWriteResponse__Output>): grpc.ClientUnaryCall;
  
  BumpVersion(argument: _lockstep_v1_BumpVersionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_BumpVersionResponse__Output>): grpc.ClientUnaryCall;
  BumpVersion(argument: _lockstep_v1_BumpVersionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_BumpVersionResponse__Output>): grpc.ClientUnaryCall;
  BumpVersion(argument: _lockstep_v1_BumpVersionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_BumpVersionResponse__Output>): grpc.ClientUnaryCall;
  BumpVersion(argument: _lockstep_v1_BumpVersionRequest, callback: grpc.requestCallback<_lockstep_v1_BumpVersionResponse__Output>): grpc.ClientUnaryCall;
  bumpVersion(argument: _lockstep_v1_BumpVersionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_BumpVersionResponse__Output>): grpc.ClientUnaryCall;
  bumpVersion(argument: _lockstep_v1_BumpVersionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_BumpVersionResponse__Output>): grpc.ClientUnaryCall;
  bumpVersion(argument: _lockstep_v1_BumpVersionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_BumpVersionResponse__Output>): grpc.ClientUnaryCall;
  bumpVersion(argument: _lockstep_v1_BumpVersionRequest, callback: grpc.requestCallback<_lockstep_v1_BumpVersionResponse__Output>): grpc.ClientUnaryCall;
  
  FetchFrom(argument: _lockstep_v1_FetchFromRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_FetchFromResponse__Output>;
  FetchFrom(argument: _lockstep_v1_FetchFromRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_FetchFromResponse__Output>;
  fetchFrom(argument: _lockstep_v1_FetchFromRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_FetchFromResponse__Output>;
  fetchFrom(argument: _lockstep_v1_FetchFromRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_FetchFromResponse__Output>;
  
  GetVersion(argument: _lockstep_v1_GetVersionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetVersionResponse__Output>): grpc.ClientUnaryCall;
  GetVersion(argument: _lockstep_v1_GetVersionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_GetVersionResponse__Output>): grpc.ClientUnaryCall;
  GetVersion(argument: _lockstep_v1_GetVersionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetVersionResponse__Output>): grpc.ClientUnaryCall;
  GetVersion(argument: _lockstep_v1_GetVersionRequest, callback: grpc.requestCallback<_lockstep_v1_GetVersionResponse__Output>): grpc.ClientUnaryCall;
  getVersion(argument: _lockstep_v1_GetVersionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetVersionResponse__Output>): grpc.ClientUnaryCall;
  getVersion(argument: _lockstep_v1_GetVersionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_GetVersionResponse__Output>): grpc.ClientUnaryCall;
  getVersion(argument: _lockstep_v1_GetVersionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetVersionResponse__Output>): grpc.ClientUnaryCall;
  getVersion(argument: _lockstep_v1_GetVersionRequest, callback: grpc.requestCallback<_lockstep_v1_GetVersionResponse__Output>): grpc.ClientUnaryCall;
  
  GetWrite(argument: _lockstep_v1_GetWriteRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetWriteResponse__Output>): grpc.ClientUnaryCall;
  GetWrite(argument: _lockstep_v1_GetWriteRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_GetWriteResponse__Output>): grpc.ClientUnaryCall;
  GetWrite(argument: _lockstep_v1_GetWriteRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetWriteResponse__Output>): grpc.ClientUnaryCall;
  GetWrite(argument: _lockstep_v1_GetWriteRequest, callback: grpc.requestCallback<_lockstep_v1_GetWriteResponse__Output>): grpc.ClientUnaryCall;
  getWrite(argument: _lockstep_v1_GetWriteRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetWriteResponse__Output>): grpc.ClientUnaryCall;
  getWrite(argument: _lockstep_v1_GetWriteRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_GetWriteResponse__Output>): grpc.ClientUnaryCall;
  getWrite(argument: _lockstep_v1_GetWriteRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GetWriteResponse__Output>): grpc.ClientUnaryCall;
  getWrite(argument: _lockstep_v1_GetWriteRequest, callback: grpc.requestCallback<_lockstep_v1_GetWriteResponse__Output>): grpc.ClientUnaryCall;
  
  RenewWrite(argument: _lockstep_v1_RenewWriteRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RenewWriteResponse__Output>): grpc.ClientUnaryCall;
  RenewWrite(argument: _lockstep_v1_RenewWriteRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_RenewWriteResponse__Output>): grpc.ClientUnaryCall;
  RenewWrite(argument: _lockstep_v1_RenewWriteRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RenewWriteResponse__Output>): grpc.ClientUnaryCall;
  RenewWrite(argument: _lockstep_v1_RenewWriteRequest, callback: grpc.requestCallback<_lockstep_v1_RenewWriteResponse__Output>): grpc.ClientUnaryCall;
  renewWrite(argument: _lockstep_v1_RenewWriteRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RenewWriteResponse__Output>): grpc.ClientUnaryCall;
  renewWrite(argument: _lockstep_v1_RenewWriteRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_RenewWriteResponse__Output>): grpc.ClientUnaryCall;
  renewWrite(argument: _lockstep_v1_RenewWriteRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_RenewWriteResponse__Output>): grpc.ClientUnaryCall;
  renewWrite(argument: _lockstep_v1_RenewWriteRequest, callback: grpc.requestCallback<_lockstep_v1_RenewWriteResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface SyncServiceHandlers extends grpc.UntypedServiceImplementation {
  AbortWrite: grpc.handleUnaryCall<_lockstep_v1_AbortWriteRequest__Output, _lockstep_v1_AbortWriteResponse>;
  
  BeforeRead: grpc.handleUnaryCall<_lockstep_v1_BeforeReadRequest__Output, _lockstep_v1_BeforeReadResponse>;
  
  BeginWrite: grpc.handleUnaryCall<_lockstep_v1_BeginWriteRequest__Output, _lockstep_v1_BeginWriteResponse>;
  
  BumpVersion: grpc.handleUnaryCall<_lockstep_v1_BumpVersionRequest__Output, _lockstep_v1_BumpVersionResponse>;
  
  FetchFrom: grpc.handleServerStreamingCall<_lockstep_v1_FetchFromRequest__Output, _lockstep_v1_FetchFromResponse>;
  
  GetVersion: grpc.handleUnaryCall<_lockstep_v1_GetVersionRequest__Output, _lockstep_v1_GetVersionResponse>;
  
  GetWrite: grpc.handleUnaryCall<_lockstep_v1_GetWriteRequest__Output, _lockstep_v1_GetWriteResponse>;
  
  RenewWrite: grpc.handleUnaryCall<_lockstep_v1_RenewWriteRequest__Output, _lockstep_v1_RenewWriteResponse>;
  
}

export interface SyncServiceDefinition extends grpc.ServiceDefinition {
  AbortWrite: MethodDefinition<_lockstep_v1_AbortWriteRequest, _lockstep_v1_AbortWriteResponse, _lockstep_v1_AbortWriteRequest__Output, _lockstep_v1_AbortWriteResponse__Output>
  BeforeRead: MethodDefinition<_lockstep_v1_BeforeReadRequest, _lockstep_v1_BeforeReadResponse, _lockstep_v1_BeforeReadRequest__Output, _lockstep_v1_BeforeReadResponse__Output>
  BeginWrite: MethodDefinition<_lockstep_v1_BeginWriteRequest, _lockstep_v1_BeginWriteResponse, _lockstep_v1_BeginWriteRequest__Output, _lockstep_v1_BeginWriteResponse__Output>
  BumpVersion: MethodDefinition<_lockstep_v1_BumpVersionRequest, _lockstep_v1_BumpVersionResponse, _lockstep_v1_BumpVersionRequest__Output, _lockstep_v1_BumpVersionResponse__Output>
  FetchFrom: MethodDefinition<_lockstep_v1_FetchFromRequest, _lockstep_v1_FetchFromResponse, _lockstep_v1_FetchFromRequest__Output, _lockstep_v1_FetchFromResponse__Output>
  GetVersion: MethodDefinition<_lockstep_v1_GetVersionRequest, _lockstep_v1_GetVersionResponse, _lockstep_v1_GetVersionRequest__Output, _lockstep_v1_GetVersionResponse__Output>
  GetWrite: MethodDefinition<_lockstep_v1_GetWriteRequest, _lockstep_v1_GetWriteResponse, _lockstep_v1_GetWriteRequest__Output, _lockstep_v1_GetWriteResponse__Output>
  RenewWrite: MethodDefinition<_lockstep_v1_RenewWriteRequest, _lockstep_v1_RenewWriteResponse, _lockstep_v1_RenewWriteRequest__Output, _lockstep_v1_RenewWriteResponse__Output>
}

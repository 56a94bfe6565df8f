import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from './google/protobuf/Duration.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from './google/protobuf/Timestamp.ts';
import type { AbortWriteRequest as _lockstep_v1_AbortWriteRequest, AbortWriteRequest__Output as _lockstep_v1_AbortWriteRequest__Output } from './lockstep/v1/AbortWriteRequest.ts';
import type { AbortWriteResponse as _lockstep_v1_AbortWriteResponse, AbortWriteResponse__Output as _lockstep_v1_AbortWriteResponse__Output } from './lockstep/v1/AbortWriteResponse.ts';
import type { BeforeReadRequest as _lockstep_v1_BeforeReadRequest, BeforeReadRequest__Output as _lockstep_v1_BeforeReadRequest__Output } from './lockstep/v1/BeforeReadRequest.ts';
import type { BeforeReadResponse as _lockstep_v1_BeforeReadResponse, BeforeReadResponse__Output as _lockstep_v1_BeforeReadResponse__Output } from './lockstep/v1/BeforeReadResponse.ts';
import type { BeginWriteRequest as _lockstep_v1_BeginWriteRequest, BeginWriteRequest__Output as _lockstep_v1_BeginWriteRequest__Output } from './lockstep/v1/BeginWriteRequest.ts';
import type { BeginWriteResponse as _lockstep_v1_BeginWriteResponse, BeginWriteResponse__Output as _lockstep_v1_BeginWriteResponse__Output } from './lockstep/v1/BeginWriteResponse.ts';
import type { BumpVersionRequest as _lockstep_v1_BumpVersionRequest, BumpVersionRequest__Output as _lockstep_v1_BumpVersionRequest__Output } from './lockstep/v1/BumpVersionRequest.ts';
import type { BumpVersionResponse as _lockstep_v1_BumpVersionResponse, BumpVersionResponse__Output as _lockstep_v1_BumpVersionResponse__Output } from './lockstep/v1/BumpVersionResponse.ts';
import type { FetchFromRequest as _lockstep_v1_FetchFromRequest, FetchFromRequest__Output as _lockstep_v1_FetchFromRequest__Output } from './lockstep/v1/FetchFromRequest.ts';
import type { FetchFromResponse as _lockstep_v1_FetchFromResponse, FetchFromResponse__Output as _lockstep_v1_FetchFromResponse__Output } from './lockstep/v1/FetchFromResponse.ts';
import type { FetchProgress as _lockstep_v1_FetchProgress, FetchProgress__Output as _lockstep_v1_FetchProgress__Output } from './lockstep/v1/FetchProgress.ts';
import type { FetchResult as _lockstep_v1_FetchResult, FetchResult__Output as _lockstep_v1_FetchResult__Output } from './lockstep/v1/FetchResult.ts';
import type { GetVersionRequest as _lockstep_v1_GetVersionRequest, GetVersionRequest__Output as _lockstep_v1_GetVersionRequest__Output } from './lockstep/v1/GetVersionRequest.ts';
import type { GetVersionResponse as _lockstep_v1_GetVersionResponse, GetVersionResponse__Output as _lockstep_v1_GetVersionResponse__Output } from './lockstep/v1/GetVersionResponse.ts';
import type { GetWriteRequest as _lockstep_v1_GetWriteRequest, GetWriteRequest__Output as _lockstep_v1_GetWriteRequest__Output } from './lockstep/v1/GetWriteRequest.ts';
import type { GetWriteResponse as _lockstep_v1_GetWriteResponse, GetWriteResponse__Output as _lockstep_v1_GetWriteResponse__Output } from './lockstep/v1/GetWriteResponse.ts';
import type { Reader as _lockstep_v1_Reader, Reader__Output as _lockstep_v1_Reader__Output } from './lockstep/v1/Reader.ts';
import type { RefChange as _lockstep_v1_RefChange, RefChange__Output as _lockstep_v1_RefChange__Output } from './lockstep/v1/RefChange.ts';
import type { RefChanges as _lockstep_v1_RefChanges, RefChanges__Output as _lockstep_v1_RefChanges__Output } from './lockstep/v1/RefChanges.ts';
import type { RenewWriteRequest as _lockstep_v1_RenewWriteRequest, RenewWriteRequest__Output as _lockstep_v1_RenewWriteRequest__Output } from './lockstep/v1/RenewWriteRequest.ts';
import type { RenewWriteResponse as _lockstep_v1_RenewWriteResponse, RenewWriteResponse__Output as _lockstep_v1_RenewWriteResponse__Output } from './lockstep/v1/RenewWriteResponse.ts';
import type { SyncServiceClient as _lockstep_v1_SyncServiceClient, SyncServiceDefinition as _lockstep_v1_SyncServiceDefinition } from './lockstep/v1/SyncService.ts';
import type { Write as _lockstep_v1_Write, Write__Output as _lockstep_v1_Write__Output } from './lockstep/v1/Write.ts';

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
      BeforeReadRequest: MessageTypeDefinition<_lockstep_v1_BeforeReadRequest, _lockstep_v1_BeforeReadRequest__Output>
      BeforeReadResponse: MessageTypeDefinition<_lockstep_v1_BeforeReadResponse, _lockstep_v1_BeforeReadResponse__Output>
      BeginWriteRequest: MessageTypeDefinition<_lockstep_v1_BeginWriteRequest, _lockstep_v1_BeginWriteRequest__Output>
      BeginWriteResponse: MessageTypeDefinition<_lockstep_v1_BeginWriteResponse, _lockstep_v1_BeginWriteResponse__Output>
      BumpVersionRequest: MessageTypeDefinition<_lockstep_v1_BumpVersionRequest, _lockstep_v1_BumpVersionRequest__Output>
      BumpVersionResponse: MessageTypeDefinition<_lockstep_v1_BumpVersionResponse, _lockstep_v1_BumpVersionResponse__Output>
      FetchFromRequest: MessageTypeDefinition<_lockstep_v1_FetchFromRequest, _lockstep_v1_FetchFromRequest__Output>
      FetchFromResponse: MessageTypeDefinition<_lockstep_v1_FetchFromResponse, _lockstep_v1_FetchFromResponse__Output>
      FetchProgress: MessageTypeDefinition<_lockstep_v1_FetchProgress, _lockstep_v1_FetchProgress__Output>
      FetchResult: MessageTypeDefinition<_lockstep_v1_FetchResult, _lockstep_v1_FetchResult__Output>
      GetVersionRequest: MessageTypeDefinition<_lockstep_v1_GetVersionRequest, _lockstep_v1_GetVersionRequest__Output>
      GetVersionResponse: MessageTypeDefinition<_lockstep_v1_GetVersionResponse, _lockstep_v1_GetVersionResponse__Output>
      GetWriteRequest: MessageTypeDefinition<_lockstep_v1_GetWriteRequest, _lockstep_v1_GetWriteRequest__Output>
      GetWriteResponse: MessageTypeDefinition<_lockstep_v1_GetWriteResponse, _lockstep_v1_GetWriteResponse__Output>
      Reader: MessageTypeDefinition<_lockstep_v1_Reader, _lockstep_v1_Reader__Output>
      RefChange: MessageTypeDefinition<_lockstep_v1_RefChange, _lockstep_v1_RefChange__Output>
      RefChanges: MessageTypeDefinition<_lockstep_v1_RefChanges, _lockstep_v1_RefChanges__Output>
      RenewWriteRequest: MessageTypeDefinition<_lockstep_v1_RenewWriteRequest, _lockstep_v1_RenewWriteRequest__Output>
      RenewWriteResponse: MessageTypeDefinition<_lockstep_v1_RenewWriteResponse, _lockstep_v1_RenewWriteResponse__Output>
      ReplicaState: EnumTypeDefinition
      SyncService: SubtypeConstructor<typeof grpc.Client, _lockstep_v1_SyncServiceClient> & { service: _lockstep_v1_SyncServiceDefinition }
      Write: MessageTypeDefinition<_lockstep_v1_Write, _lockstep_v1_Write__Output>
      WriteStatus: EnumTypeDefinition
    }
  }
}


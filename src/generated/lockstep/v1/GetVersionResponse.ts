// Original file: proto/lockstep/v1/sync.proto

import type { Write as _lockstep_v1_Write, Write__Output as _lockstep_v1_Write__Output } from '../../lockstep/v1/Write.ts';
import type { ReplicaState as _lockstep_v1_ReplicaState, ReplicaState__Output as _lockstep_v1_ReplicaState__Output } from '../../lockstep/v1/ReplicaState.ts';
import type { Long } from '@grpc/proto-loader';

export interface GetVersionResponse {
  'repository'?: (string);
  'device'?: (string);
  'version'?: (number | string | Long);
  'headVersion'?: (number | string | Long);
  'leaders'?: (string)[];
  'isWriting'?: (boolean);
  'writer'?: (_lockstep_v1_Write | null);
  'digest'?: (Buffer | Uint8Array | string);
  'state'?: (_lockstep_v1_ReplicaState);
}

export interface GetVersionResponse__Output {
  'repository': (string);
  'device': (string);
  'version': (string);
  'headVersion': (string);
  'leaders': (string)[];
  'isWriting': (boolean);
  'writer': (_lockstep_v1_Write__Output | null);
  'digest': (Buffer);
  'state': (_lockstep_v1_ReplicaState__Output);
}

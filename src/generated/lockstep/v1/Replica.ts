// Original file: proto/lockstep/v1/cluster.proto

import type { ReplicaState as _lockstep_v1_ReplicaState, ReplicaState__Output as _lockstep_v1_ReplicaState__Output } from '../../lockstep/v1/ReplicaState.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Scrub as _lockstep_v1_Scrub, Scrub__Output as _lockstep_v1_Scrub__Output } from '../../lockstep/v1/Scrub.ts';
import type { Long } from '@grpc/proto-loader';

export interface Replica {
  'device'?: (string);
  'version'?: (number | string | Long);
  'state'?: (_lockstep_v1_ReplicaState);
  'leader'?: (boolean);
  'live'?: (boolean);
  'lastError'?: (string);
  'updatedAt'?: (_google_protobuf_Timestamp | null);
  'awaySince'?: (_google_protobuf_Timestamp | null);
  'wanted'?: (boolean);
  'scrub'?: (_lockstep_v1_Scrub | null);
}

export interface Replica__Output {
  'device': (string);
  'version': (string);
  'state': (_lockstep_v1_ReplicaState__Output);
  'leader': (boolean);
  'live': (boolean);
  'lastError': (string);
  'updatedAt': (_google_protobuf_Timestamp__Output | null);
  'awaySince': (_google_protobuf_Timestamp__Output | null);
  'wanted': (boolean);
  'scrub': (_lockstep_v1_Scrub__Output | null);
}

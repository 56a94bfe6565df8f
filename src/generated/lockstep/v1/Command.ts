// Original file: proto/lockstep/v1/cluster.proto

import type { CommandState as _lockstep_v1_CommandState, CommandState__Output as _lockstep_v1_CommandState__Output } from '../../lockstep/v1/CommandState.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface Command {
  'id'?: (string);
  'ordinal'?: (number | string | Long);
  'repository'?: (string);
  'device'?: (string);
  'command'?: (string);
  'state'?: (_lockstep_v1_CommandState);
  'author'?: (string);
  'reason'?: (string);
  'attempts'?: (number);
  'error'?: (string);
  'outcome'?: (string);
  'createdAt'?: (_google_protobuf_Timestamp | null);
  'startedAt'?: (_google_protobuf_Timestamp | null);
  'endedAt'?: (_google_protobuf_Timestamp | null);
  'dueAt'?: (_google_protobuf_Timestamp | null);
  'deviceLive'?: (boolean);
  'deviceAwaySince'?: (_google_protobuf_Timestamp | null);
}

export interface Command__Output {
  'id': (string);
  'ordinal': (string);
  'repository': (string);
  'device': (string);
  'command': (string);
  'state': (_lockstep_v1_CommandState__Output);
  'author': (string);
  'reason': (string);
  'attempts': (number);
  'error': (string);
  'outcome': (string);
  'createdAt': (_google_protobuf_Timestamp__Output | null);
  'startedAt': (_google_protobuf_Timestamp__Output | null);
  'endedAt': (_google_protobuf_Timestamp__Output | null);
  'dueAt': (_google_protobuf_Timestamp__Output | null);
  'deviceLive': (boolean);
  'deviceAwaySince': (_google_protobuf_Timestamp__Output | null);
}

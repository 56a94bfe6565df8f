// Original file: proto/lockstep/v1/cluster.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { DiskRoom as _lockstep_v1_DiskRoom, DiskRoom__Output as _lockstep_v1_DiskRoom__Output } from '../../lockstep/v1/DiskRoom.ts';
import type { Long } from '@grpc/proto-loader';

export interface Device {
  'name'?: (string);
  'live'?: (boolean);
  'zone'?: (string);
  'grpcAddress'?: (string);
  'gitAddress'?: (string);
  'startedAt'?: (_google_protobuf_Timestamp | null);
  'awaySince'?: (_google_protobuf_Timestamp | null);
  'drainingSince'?: (_google_protobuf_Timestamp | null);
  'writes'?: (boolean);
  'replicas'?: (number | string | Long);
  'missing'?: (number | string | Long);
  'placing'?: (boolean);
  'removedAt'?: (_google_protobuf_Timestamp | null);
  'openCommands'?: (number | string | Long);
  'sshAddress'?: (string);
  'sshUser'?: (string);
  'disk'?: (_lockstep_v1_DiskRoom | null);
}

export interface Device__Output {
  'name': (string);
  'live': (boolean);
  'zone': (string);
  'grpcAddress': (string);
  'gitAddress': (string);
  'startedAt': (_google_protobuf_Timestamp__Output | null);
  'awaySince': (_google_protobuf_Timestamp__Output | null);
  'drainingSince': (_google_protobuf_Timestamp__Output | null);
  'writes': (boolean);
  'replicas': (string);
  'missing': (string);
  'placing': (boolean);
  'removedAt': (_google_protobuf_Timestamp__Output | null);
  'openCommands': (string);
  'sshAddress': (string);
  'sshUser': (string);
  'disk': (_lockstep_v1_DiskRoom__Output | null);
}

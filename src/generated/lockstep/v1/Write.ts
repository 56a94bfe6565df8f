// Original file: proto/lockstep/v1/sync.proto

import type { WriteStatus as _lockstep_v1_WriteStatus, WriteStatus__Output as _lockstep_v1_WriteStatus__Output } from '../../lockstep/v1/WriteStatus.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface Write {
  'writeId'?: (string);
  'repository'?: (string);
  'device'?: (string);
  'author'?: (string);
  'reason'?: (string);
  'baseVersion'?: (number | string | Long);
  'status'?: (_lockstep_v1_WriteStatus);
  'version'?: (number | string | Long);
  'startedAt'?: (_google_protobuf_Timestamp | null);
  'decidedAt'?: (_google_protobuf_Timestamp | null);
  'dropReason'?: (string);
}

export interface Write__Output {
  'writeId': (string);
  'repository': (string);
  'device': (string);
  'author': (string);
  'reason': (string);
  'baseVersion': (string);
  'status': (_lockstep_v1_WriteStatus__Output);
  'version': (string);
  'startedAt': (_google_protobuf_Timestamp__Output | null);
  'decidedAt': (_google_protobuf_Timestamp__Output | null);
  'dropReason': (string);
}

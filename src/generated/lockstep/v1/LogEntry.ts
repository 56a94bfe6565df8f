// Original file: proto/lockstep/v1/cluster.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { RefUpdate as _lockstep_v1_RefUpdate, RefUpdate__Output as _lockstep_v1_RefUpdate__Output } from '../../lockstep/v1/RefUpdate.ts';
import type { Long } from '@grpc/proto-loader';

export interface LogEntry {
  'version'?: (number | string | Long);
  'writeId'?: (string);
  'device'?: (string);
  'author'?: (string);
  'landedAt'?: (_google_protobuf_Timestamp | null);
  'updates'?: (_lockstep_v1_RefUpdate)[];
  'more'?: (number);
}

export interface LogEntry__Output {
  'version': (string);
  'writeId': (string);
  'device': (string);
  'author': (string);
  'landedAt': (_google_protobuf_Timestamp__Output | null);
  'updates': (_lockstep_v1_RefUpdate__Output)[];
  'more': (number);
}

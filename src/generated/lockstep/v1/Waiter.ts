// Original file: proto/lockstep/v1/cluster.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';

export interface Waiter {
  'device'?: (string);
  'author'?: (string);
  'reason'?: (string);
  'since'?: (_google_protobuf_Timestamp | null);
  'waited'?: (_google_protobuf_Duration | null);
}

export interface Waiter__Output {
  'device': (string);
  'author': (string);
  'reason': (string);
  'since': (_google_protobuf_Timestamp__Output | null);
  'waited': (_google_protobuf_Duration__Output | null);
}

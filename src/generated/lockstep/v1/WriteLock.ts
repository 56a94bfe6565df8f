// Original file: proto/lockstep/v1/cluster.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface WriteLock {
  'repository'?: (string);
  'reason'?: (string);
  'author'?: (string);
  'since'?: (_google_protobuf_Timestamp | null);
  'closed'?: (boolean);
}

export interface WriteLock__Output {
  'repository': (string);
  'reason': (string);
  'author': (string);
  'since': (_google_protobuf_Timestamp__Output | null);
  'closed': (boolean);
}

// Original file: proto/lockstep/v1/cluster.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface Scrub {
  'repository'?: (string);
  'device'?: (string);
  'at'?: (_google_protobuf_Timestamp | null);
  'differences'?: (number);
  'damage'?: (string)[];
  'failure'?: (string);
  'overdue'?: (boolean);
}

export interface Scrub__Output {
  'repository': (string);
  'device': (string);
  'at': (_google_protobuf_Timestamp__Output | null);
  'differences': (number);
  'damage': (string)[];
  'failure': (string);
  'overdue': (boolean);
}

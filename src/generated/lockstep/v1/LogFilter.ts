// Original file: proto/lockstep/v1/cluster.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface LogFilter {
  'repository'?: (string);
  'device'?: (string);
  'since'?: (_google_protobuf_Timestamp | null);
  'until'?: (_google_protobuf_Timestamp | null);
  'author'?: (string);
  'result'?: (string);
  'ref'?: (string);
  'limit'?: (number);
}

export interface LogFilter__Output {
  'repository': (string);
  'device': (string);
  'since': (_google_protobuf_Timestamp__Output | null);
  'until': (_google_protobuf_Timestamp__Output | null);
  'author': (string);
  'result': (string);
  'ref': (string);
  'limit': (number);
}

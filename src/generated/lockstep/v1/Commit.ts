// Original file: proto/lockstep/v1/cluster.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface Commit {
  'id'?: (string);
  'author'?: (string);
  'email'?: (string);
  'at'?: (_google_protobuf_Timestamp | null);
  'subject'?: (string);
}

export interface Commit__Output {
  'id': (string);
  'author': (string);
  'email': (string);
  'at': (_google_protobuf_Timestamp__Output | null);
  'subject': (string);
}

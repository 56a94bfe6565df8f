// Original file: proto/lockstep/v1/cluster.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface WaitingKey {
  'role'?: (string);
  'name'?: (string);
  'kind'?: (string);
  'fingerprint'?: (string);
  'seenBy'?: (string);
  'source'?: (string);
  'since'?: (_google_protobuf_Timestamp | null);
  'seenAt'?: (_google_protobuf_Timestamp | null);
}

export interface WaitingKey__Output {
  'role': (string);
  'name': (string);
  'kind': (string);
  'fingerprint': (string);
  'seenBy': (string);
  'source': (string);
  'since': (_google_protobuf_Timestamp__Output | null);
  'seenAt': (_google_protobuf_Timestamp__Output | null);
}

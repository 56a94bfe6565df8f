// Original file: proto/lockstep/v1/cluster.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface Key {
  'kind'?: (string);
  'fingerprint'?: (string);
  'trusted'?: (boolean);
  'enrolledBy'?: (string);
  'enrolledAt'?: (_google_protobuf_Timestamp | null);
  'seenAt'?: (_google_protobuf_Timestamp | null);
  'revokedBy'?: (string);
  'revokedAt'?: (_google_protobuf_Timestamp | null);
  'reason'?: (string);
  'role'?: (string);
  'name'?: (string);
}

export interface Key__Output {
  'kind': (string);
  'fingerprint': (string);
  'trusted': (boolean);
  'enrolledBy': (string);
  'enrolledAt': (_google_protobuf_Timestamp__Output | null);
  'seenAt': (_google_protobuf_Timestamp__Output | null);
  'revokedBy': (string);
  'revokedAt': (_google_protobuf_Timestamp__Output | null);
  'reason': (string);
  'role': (string);
  'name': (string);
}

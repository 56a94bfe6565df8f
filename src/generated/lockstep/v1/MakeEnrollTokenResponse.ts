// Original file: proto/lockstep/v1/cluster.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface MakeEnrollTokenResponse {
  'token'?: (string);
  'endsAt'?: (_google_protobuf_Timestamp | null);
}

export interface MakeEnrollTokenResponse__Output {
  'token': (string);
  'endsAt': (_google_protobuf_Timestamp__Output | null);
}

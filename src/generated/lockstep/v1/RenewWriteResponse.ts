// Original file: proto/lockstep/v1/sync.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';

export interface RenewWriteResponse {
  'expiresAt'?: (_google_protobuf_Timestamp | null);
}

export interface RenewWriteResponse__Output {
  'expiresAt': (_google_protobuf_Timestamp__Output | null);
}

// Original file: proto/lockstep/v1/sync.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface BeginWriteResponse {
  'writeId'?: (string);
  'token'?: (string);
  'baseVersion'?: (number | string | Long);
  'expiresAt'?: (_google_protobuf_Timestamp | null);
  'path'?: (string);
}

export interface BeginWriteResponse__Output {
  'writeId': (string);
  'token': (string);
  'baseVersion': (string);
  'expiresAt': (_google_protobuf_Timestamp__Output | null);
  'path': (string);
}

// Original file: proto/lockstep/v1/cluster.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface ListAuditRequest {
  'after'?: (number | string | Long);
  'since'?: (_google_protobuf_Timestamp | null);
  'limit'?: (number);
  'newest'?: (boolean);
}

export interface ListAuditRequest__Output {
  'after': (string);
  'since': (_google_protobuf_Timestamp__Output | null);
  'limit': (number);
  'newest': (boolean);
}

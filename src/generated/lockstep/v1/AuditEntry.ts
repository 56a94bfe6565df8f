// Original file: proto/lockstep/v1/cluster.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface AuditEntry {
  'id'?: (number | string | Long);
  'at'?: (_google_protobuf_Timestamp | null);
  'author'?: (string);
  'action'?: (string);
  'repository'?: (string);
  'device'?: (string);
  'result'?: (string);
  'detail'?: (string);
}

export interface AuditEntry__Output {
  'id': (string);
  'at': (_google_protobuf_Timestamp__Output | null);
  'author': (string);
  'action': (string);
  'repository': (string);
  'device': (string);
  'result': (string);
  'detail': (string);
}

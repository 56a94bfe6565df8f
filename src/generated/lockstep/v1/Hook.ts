// Original file: proto/lockstep/v1/cluster.proto

import type { Visible as _lockstep_v1_Visible, Visible__Output as _lockstep_v1_Visible__Output } from '../../lockstep/v1/Visible.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface Hook {
  'id'?: (string);
  'url'?: (string);
  'repositories'?: (string)[];
  'visible'?: (_lockstep_v1_Visible);
  'author'?: (string);
  'createdAt'?: (_google_protobuf_Timestamp | null);
  'device'?: (string);
  'delivered'?: (number | string | Long);
  'deliveredAt'?: (_google_protobuf_Timestamp | null);
  'attempts'?: (number);
  'nextAttemptAt'?: (_google_protobuf_Timestamp | null);
  'lastError'?: (string);
  'missedAt'?: (_google_protobuf_Timestamp | null);
  'cursor'?: (string);
  'waiting'?: (number);
}

export interface Hook__Output {
  'id': (string);
  'url': (string);
  'repositories': (string)[];
  'visible': (_lockstep_v1_Visible__Output);
  'author': (string);
  'createdAt': (_google_protobuf_Timestamp__Output | null);
  'device': (string);
  'delivered': (string);
  'deliveredAt': (_google_protobuf_Timestamp__Output | null);
  'attempts': (number);
  'nextAttemptAt': (_google_protobuf_Timestamp__Output | null);
  'lastError': (string);
  'missedAt': (_google_protobuf_Timestamp__Output | null);
  'cursor': (string);
  'waiting': (number);
}

// Original file: proto/lockstep/v1/cluster.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface RemovedRepository {
  'id'?: (string);
  'name'?: (string);
  'headVersion'?: (number | string | Long);
  'removedAt'?: (_google_protobuf_Timestamp | null);
  'keepUntil'?: (_google_protobuf_Timestamp | null);
  'restorable'?: (boolean);
  'waitsFor'?: (string)[];
}

export interface RemovedRepository__Output {
  'id': (string);
  'name': (string);
  'headVersion': (string);
  'removedAt': (_google_protobuf_Timestamp__Output | null);
  'keepUntil': (_google_protobuf_Timestamp__Output | null);
  'restorable': (boolean);
  'waitsFor': (string)[];
}

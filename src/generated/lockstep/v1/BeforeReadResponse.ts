// Original file: proto/lockstep/v1/sync.proto

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { RefChanges as _lockstep_v1_RefChanges, RefChanges__Output as _lockstep_v1_RefChanges__Output } from '../../lockstep/v1/RefChanges.ts';
import type { Long } from '@grpc/proto-loader';

export interface BeforeReadResponse {
  'version'?: (number | string | Long);
  'fetched'?: (boolean);
  'stale'?: (boolean);
  'waited'?: (_google_protobuf_Duration | null);
  'unchanged'?: (_google_protobuf_Duration | null);
  'refsMark'?: (string);
  'changes'?: (_lockstep_v1_RefChanges | null);
}

export interface BeforeReadResponse__Output {
  'version': (string);
  'fetched': (boolean);
  'stale': (boolean);
  'waited': (_google_protobuf_Duration__Output | null);
  'unchanged': (_google_protobuf_Duration__Output | null);
  'refsMark': (string);
  'changes': (_lockstep_v1_RefChanges__Output | null);
}

// Original file: proto/lockstep/v1/sync.proto

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';

export interface BeginWriteRequest {
  'repository'?: (string);
  'author'?: (string);
  'reason'?: (string);
  'wait'?: (_google_protobuf_Duration | null);
  'writeId'?: (string);
  'live'?: (boolean);
}

export interface BeginWriteRequest__Output {
  'repository': (string);
  'author': (string);
  'reason': (string);
  'wait': (_google_protobuf_Duration__Output | null);
  'writeId': (string);
  'live': (boolean);
}

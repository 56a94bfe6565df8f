// Original file: proto/lockstep/v1/cluster.proto

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';

export interface StopWritesRequest {
  'repositories'?: (string)[];
  'reason'?: (string);
  'author'?: (string);
  'wait'?: (_google_protobuf_Duration | null);
}

export interface StopWritesRequest__Output {
  'repositories': (string)[];
  'reason': (string);
  'author': (string);
  'wait': (_google_protobuf_Duration__Output | null);
}

// Original file: proto/lockstep/v1/sync.proto

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { Long } from '@grpc/proto-loader';

export interface BeforeReadRequest {
  'repository'?: (string);
  'minVersion'?: (number | string | Long);
  'commit'?: (string);
  'maxStaleness'?: (_google_protobuf_Duration | null);
  'forPush'?: (boolean);
}

export interface BeforeReadRequest__Output {
  'repository': (string);
  'minVersion': (string);
  'commit': (string);
  'maxStaleness': (_google_protobuf_Duration__Output | null);
  'forPush': (boolean);
}

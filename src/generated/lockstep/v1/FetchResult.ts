// Original file: proto/lockstep/v1/sync.proto

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { Long } from '@grpc/proto-loader';

export interface FetchResult {
  'fromDevice'?: (string);
  'fromVersion'?: (number | string | Long);
  'version'?: (number | string | Long);
  'bytes'?: (number | string | Long);
  'refsChanged'?: (number);
  'duration'?: (_google_protobuf_Duration | null);
  'alreadyCurrent'?: (boolean);
}

export interface FetchResult__Output {
  'fromDevice': (string);
  'fromVersion': (string);
  'version': (string);
  'bytes': (string);
  'refsChanged': (number);
  'duration': (_google_protobuf_Duration__Output | null);
  'alreadyCurrent': (boolean);
}

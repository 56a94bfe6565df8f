// Original file: proto/lockstep/v1/cluster.proto

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface SyncEvent {
  'device'?: (string);
  'fromDevice'?: (string);
  'fromVersion'?: (number | string | Long);
  'version'?: (number | string | Long);
  'bytes'?: (number | string | Long);
  'refsChanged'?: (number);
  'duration'?: (_google_protobuf_Duration | null);
  'error'?: (string);
  'at'?: (_google_protobuf_Timestamp | null);
}

export interface SyncEvent__Output {
  'device': (string);
  'fromDevice': (string);
  'fromVersion': (string);
  'version': (string);
  'bytes': (string);
  'refsChanged': (number);
  'duration': (_google_protobuf_Duration__Output | null);
  'error': (string);
  'at': (_google_protobuf_Timestamp__Output | null);
}

// Original file: proto/lockstep/v1/cluster.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { Long } from '@grpc/proto-loader';

export interface LoggedSync {
  'at'?: (_google_protobuf_Timestamp | null);
  'device'?: (string);
  'repository'?: (string);
  'fromDevice'?: (string);
  'fromVersion'?: (number | string | Long);
  'version'?: (number | string | Long);
  'bytes'?: (number | string | Long);
  'refsChanged'?: (number);
  'took'?: (_google_protobuf_Duration | null);
  'result'?: (string);
  'error'?: (string);
  'said'?: (string);
}

export interface LoggedSync__Output {
  'at': (_google_protobuf_Timestamp__Output | null);
  'device': (string);
  'repository': (string);
  'fromDevice': (string);
  'fromVersion': (string);
  'version': (string);
  'bytes': (string);
  'refsChanged': (number);
  'took': (_google_protobuf_Duration__Output | null);
  'result': (string);
  'error': (string);
  'said': (string);
}

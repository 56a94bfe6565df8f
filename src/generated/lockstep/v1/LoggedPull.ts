// Original file: proto/lockstep/v1/cluster.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { Long } from '@grpc/proto-loader';

export interface LoggedPull {
  'at'?: (_google_protobuf_Timestamp | null);
  'device'?: (string);
  'repository'?: (string);
  'author'?: (string);
  'address'?: (string);
  'way'?: (string);
  'what'?: (string);
  'requestId'?: (string);
  'result'?: (string);
  'version'?: (number | string | Long);
  'code'?: (string);
  'reason'?: (string);
  'waited'?: (_google_protobuf_Duration | null);
  'took'?: (_google_protobuf_Duration | null);
  'standsFor'?: (number);
}

export interface LoggedPull__Output {
  'at': (_google_protobuf_Timestamp__Output | null);
  'device': (string);
  'repository': (string);
  'author': (string);
  'address': (string);
  'way': (string);
  'what': (string);
  'requestId': (string);
  'result': (string);
  'version': (string);
  'code': (string);
  'reason': (string);
  'waited': (_google_protobuf_Duration__Output | null);
  'took': (_google_protobuf_Duration__Output | null);
  'standsFor': (number);
}

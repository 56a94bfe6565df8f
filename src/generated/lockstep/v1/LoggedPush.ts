// Original file: proto/lockstep/v1/cluster.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { PushedRef as _lockstep_v1_PushedRef, PushedRef__Output as _lockstep_v1_PushedRef__Output } from '../../lockstep/v1/PushedRef.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { Waits as _lockstep_v1_Waits, Waits__Output as _lockstep_v1_Waits__Output } from '../../lockstep/v1/Waits.ts';
import type { Long } from '@grpc/proto-loader';

export interface LoggedPush {
  'at'?: (_google_protobuf_Timestamp | null);
  'device'?: (string);
  'repository'?: (string);
  'author'?: (string);
  'address'?: (string);
  'way'?: (string);
  'requestId'?: (string);
  'result'?: (string);
  'version'?: (number | string | Long);
  'code'?: (string);
  'reason'?: (string);
  'refs'?: (_lockstep_v1_PushedRef)[];
  'refsTotal'?: (number);
  'duration'?: (_google_protobuf_Duration | null);
  'waits'?: (_lockstep_v1_Waits | null);
}

export interface LoggedPush__Output {
  'at': (_google_protobuf_Timestamp__Output | null);
  'device': (string);
  'repository': (string);
  'author': (string);
  'address': (string);
  'way': (string);
  'requestId': (string);
  'result': (string);
  'version': (string);
  'code': (string);
  'reason': (string);
  'refs': (_lockstep_v1_PushedRef__Output)[];
  'refsTotal': (number);
  'duration': (_google_protobuf_Duration__Output | null);
  'waits': (_lockstep_v1_Waits__Output | null);
}

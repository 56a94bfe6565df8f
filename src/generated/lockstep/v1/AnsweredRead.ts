// Original file: proto/lockstep/v1/cluster.proto

import type { Reader as _lockstep_v1_Reader, Reader__Output as _lockstep_v1_Reader__Output } from '../../lockstep/v1/Reader.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { Long } from '@grpc/proto-loader';

export interface AnsweredRead {
  'repository'?: (string);
  'reader'?: (_lockstep_v1_Reader | null);
  'what'?: (string);
  'version'?: (number | string | Long);
  'fetched'?: (boolean);
  'waited'?: (_google_protobuf_Duration | null);
  'took'?: (_google_protobuf_Duration | null);
  'ago'?: (_google_protobuf_Duration | null);
  'code'?: (string);
  'reason'?: (string);
  'standsFor'?: (number);
}

export interface AnsweredRead__Output {
  'repository': (string);
  'reader': (_lockstep_v1_Reader__Output | null);
  'what': (string);
  'version': (string);
  'fetched': (boolean);
  'waited': (_google_protobuf_Duration__Output | null);
  'took': (_google_protobuf_Duration__Output | null);
  'ago': (_google_protobuf_Duration__Output | null);
  'code': (string);
  'reason': (string);
  'standsFor': (number);
}

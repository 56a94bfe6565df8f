// Original file: proto/lockstep/v1/sync.proto

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { Reader as _lockstep_v1_Reader, Reader__Output as _lockstep_v1_Reader__Output } from '../../lockstep/v1/Reader.ts';
import type { Long } from '@grpc/proto-loader';

export interface BeforeReadRequest {
  'repository'?: (string);
  'minVersion'?: (number | string | Long);
  'commit'?: (string);
  'maxStaleness'?: (_google_protobuf_Duration | null);
  'forPush'?: (boolean);
  'reader'?: (_lockstep_v1_Reader | null);
  'reportsReads'?: (boolean);
  'changesSince'?: (string);
}

export interface BeforeReadRequest__Output {
  'repository': (string);
  'minVersion': (string);
  'commit': (string);
  'maxStaleness': (_google_protobuf_Duration__Output | null);
  'forPush': (boolean);
  'reader': (_lockstep_v1_Reader__Output | null);
  'reportsReads': (boolean);
  'changesSince': (string);
}

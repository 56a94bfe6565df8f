// Original file: proto/lockstep/v1/cluster.proto

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';
import type { Long } from '@grpc/proto-loader';

export interface Repository {
  'name'?: (string);
  'headVersion'?: (number | string | Long);
  'objectFormat'?: (string);
  'minCopies'?: (number);
  'landWithFewer'?: (boolean);
  'stopped'?: (string);
  'placement'?: (string)[];
  'logBase'?: (number | string | Long);
  'keepLog'?: (string);
  'updateLimit'?: (_google_protobuf_Duration | null);
  'id'?: (string);
  'serial'?: (boolean);
}

export interface Repository__Output {
  'name': (string);
  'headVersion': (string);
  'objectFormat': (string);
  'minCopies': (number);
  'landWithFewer': (boolean);
  'stopped': (string);
  'placement': (string)[];
  'logBase': (string);
  'keepLog': (string);
  'updateLimit': (_google_protobuf_Duration__Output | null);
  'id': (string);
  'serial': (boolean);
}

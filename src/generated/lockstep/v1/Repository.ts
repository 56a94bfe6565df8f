// Original file: proto/lockstep/v1/cluster.proto

import type { Long } from '@grpc/proto-loader';

export interface Repository {
  'name'?: (string);
  'headVersion'?: (number | string | Long);
  'objectFormat'?: (string);
  'minCopies'?: (number);
  'landWithFewer'?: (boolean);
  'stopped'?: (string);
  'placement'?: (string)[];
}

export interface Repository__Output {
  'name': (string);
  'headVersion': (string);
  'objectFormat': (string);
  'minCopies': (number);
  'landWithFewer': (boolean);
  'stopped': (string);
  'placement': (string)[];
}

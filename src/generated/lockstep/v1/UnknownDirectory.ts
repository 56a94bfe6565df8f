// Original file: proto/lockstep/v1/cluster.proto

import type { Long } from '@grpc/proto-loader';

export interface UnknownDirectory {
  'device'?: (string);
  'path'?: (string);
  'repository'?: (string);
  'version'?: (number | string | Long);
}

export interface UnknownDirectory__Output {
  'device': (string);
  'path': (string);
  'repository': (string);
  'version': (string);
}

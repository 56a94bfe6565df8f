// Original file: proto/lockstep/v1/cluster.proto

import type { Long } from '@grpc/proto-loader';

export interface AdoptedRepository {
  'repository'?: (string);
  'version'?: (number | string | Long);
  'devices'?: (string)[];
  'notes'?: (string)[];
}

export interface AdoptedRepository__Output {
  'repository': (string);
  'version': (string);
  'devices': (string)[];
  'notes': (string)[];
}

// Original file: proto/lockstep/v1/cluster.proto

import type { Long } from '@grpc/proto-loader';

export interface RepositoryStatus {
  'repository'?: (string);
  'headVersion'?: (number | string | Long);
  'behind'?: (string)[];
  'broken'?: (string)[];
  'leaders'?: (string)[];
  'writing'?: (boolean);
  'writesStopped'?: (boolean);
  'stopped'?: (string);
  'unsafe'?: (boolean);
}

export interface RepositoryStatus__Output {
  'repository': (string);
  'headVersion': (string);
  'behind': (string)[];
  'broken': (string)[];
  'leaders': (string)[];
  'writing': (boolean);
  'writesStopped': (boolean);
  'stopped': (string);
  'unsafe': (boolean);
}

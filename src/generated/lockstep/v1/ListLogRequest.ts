// Original file: proto/lockstep/v1/cluster.proto

import type { Long } from '@grpc/proto-loader';

export interface ListLogRequest {
  'repository'?: (string);
  'before'?: (number | string | Long);
  'limit'?: (number);
}

export interface ListLogRequest__Output {
  'repository': (string);
  'before': (string);
  'limit': (number);
}

// Original file: proto/lockstep/v1/cluster.proto

import type { Long } from '@grpc/proto-loader';

export interface KeptSpace {
  'subject'?: (string);
  'device'?: (string);
  'items'?: (number | string | Long);
  'bytes'?: (number | string | Long);
}

export interface KeptSpace__Output {
  'subject': (string);
  'device': (string);
  'items': (string);
  'bytes': (string);
}

// Original file: proto/lockstep/v1/cluster.proto

import type { Long } from '@grpc/proto-loader';

export interface DiskRoom {
  'freeBytes'?: (number | string | Long);
  'sizeBytes'?: (number | string | Long);
}

export interface DiskRoom__Output {
  'freeBytes': (string);
  'sizeBytes': (string);
}

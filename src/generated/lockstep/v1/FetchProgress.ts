// Original file: proto/lockstep/v1/sync.proto

import type { Long } from '@grpc/proto-loader';

export interface FetchProgress {
  'phase'?: (string);
  'objects'?: (number | string | Long);
  'totalObjects'?: (number | string | Long);
  'bytes'?: (number | string | Long);
}

export interface FetchProgress__Output {
  'phase': (string);
  'objects': (string);
  'totalObjects': (string);
  'bytes': (string);
}

// Original file: proto/lockstep/v1/sync.proto

import type { Long } from '@grpc/proto-loader';

export interface FetchFromRequest {
  'repository'?: (string);
  'device'?: (string);
  'version'?: (number | string | Long);
}

export interface FetchFromRequest__Output {
  'repository': (string);
  'device': (string);
  'version': (string);
}

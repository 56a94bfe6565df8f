// Original file: proto/lockstep/v1/sync.proto

import type { Long } from '@grpc/proto-loader';

export interface BumpVersionResponse {
  'writeId'?: (string);
  'version'?: (number | string | Long);
  'refsChanged'?: (number);
}

export interface BumpVersionResponse__Output {
  'writeId': (string);
  'version': (string);
  'refsChanged': (number);
}

// Original file: proto/lockstep/v1/cluster.proto

import type { Long } from '@grpc/proto-loader';

export interface UndoVersionRequest {
  'repository'?: (string);
  'version'?: (number | string | Long);
  'confirmation'?: (string);
  'author'?: (string);
  'reason'?: (string);
}

export interface UndoVersionRequest__Output {
  'repository': (string);
  'version': (string);
  'confirmation': (string);
  'author': (string);
  'reason': (string);
}

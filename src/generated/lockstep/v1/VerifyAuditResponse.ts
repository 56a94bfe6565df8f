// Original file: proto/lockstep/v1/cluster.proto

import type { Long } from '@grpc/proto-loader';

export interface VerifyAuditResponse {
  'rows'?: (number | string | Long);
  'first'?: (number | string | Long);
  'last'?: (number | string | Long);
  'end'?: (string);
  'problem'?: (string);
}

export interface VerifyAuditResponse__Output {
  'rows': (string);
  'first': (string);
  'last': (string);
  'end': (string);
  'problem': (string);
}

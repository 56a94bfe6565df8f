// Original file: proto/lockstep/v1/cluster.proto

import type { RefDifference as _lockstep_v1_RefDifference, RefDifference__Output as _lockstep_v1_RefDifference__Output } from '../../lockstep/v1/RefDifference.ts';
import type { Long } from '@grpc/proto-loader';

export interface VerifyReplicaResponse {
  'device'?: (string);
  'version'?: (number | string | Long);
  'refs'?: (number);
  'differences'?: (_lockstep_v1_RefDifference)[];
  'more'?: (number);
  'damage'?: (string)[];
  'failure'?: (string);
}

export interface VerifyReplicaResponse__Output {
  'device': (string);
  'version': (string);
  'refs': (number);
  'differences': (_lockstep_v1_RefDifference__Output)[];
  'more': (number);
  'damage': (string)[];
  'failure': (string);
}

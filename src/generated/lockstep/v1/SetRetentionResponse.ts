// Original file: proto/lockstep/v1/cluster.proto

import type { RetentionRule as _lockstep_v1_RetentionRule, RetentionRule__Output as _lockstep_v1_RetentionRule__Output } from '../../lockstep/v1/RetentionRule.ts';

export interface SetRetentionResponse {
  'rules'?: (_lockstep_v1_RetentionRule)[];
}

export interface SetRetentionResponse__Output {
  'rules': (_lockstep_v1_RetentionRule__Output)[];
}

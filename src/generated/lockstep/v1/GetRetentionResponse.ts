// Original file: proto/lockstep/v1/cluster.proto

import type { RetentionRule as _lockstep_v1_RetentionRule, RetentionRule__Output as _lockstep_v1_RetentionRule__Output } from '../../lockstep/v1/RetentionRule.ts';
import type { KeptSpace as _lockstep_v1_KeptSpace, KeptSpace__Output as _lockstep_v1_KeptSpace__Output } from '../../lockstep/v1/KeptSpace.ts';

export interface GetRetentionResponse {
  'rules'?: (_lockstep_v1_RetentionRule)[];
  'kept'?: (_lockstep_v1_KeptSpace)[];
}

export interface GetRetentionResponse__Output {
  'rules': (_lockstep_v1_RetentionRule__Output)[];
  'kept': (_lockstep_v1_KeptSpace__Output)[];
}

// Original file: proto/lockstep/v1/cluster.proto

import type { AdoptedRepository as _lockstep_v1_AdoptedRepository, AdoptedRepository__Output as _lockstep_v1_AdoptedRepository__Output } from '../../lockstep/v1/AdoptedRepository.ts';
import type { RefusedRepository as _lockstep_v1_RefusedRepository, RefusedRepository__Output as _lockstep_v1_RefusedRepository__Output } from '../../lockstep/v1/RefusedRepository.ts';

export interface AdoptRepositoriesResponse {
  'adopted'?: (_lockstep_v1_AdoptedRepository | null);
  'refused'?: (_lockstep_v1_RefusedRepository | null);
  'event'?: "adopted"|"refused";
}

export interface AdoptRepositoriesResponse__Output {
  'adopted'?: (_lockstep_v1_AdoptedRepository__Output | null);
  'refused'?: (_lockstep_v1_RefusedRepository__Output | null);
  'event'?: "adopted"|"refused";
}

// Original file: proto/lockstep/v1/cluster.proto

import type { Repository as _lockstep_v1_Repository, Repository__Output as _lockstep_v1_Repository__Output } from '../../lockstep/v1/Repository.ts';

export interface SetRepositoryResponse {
  'repository'?: (_lockstep_v1_Repository | null);
}

export interface SetRepositoryResponse__Output {
  'repository': (_lockstep_v1_Repository__Output | null);
}

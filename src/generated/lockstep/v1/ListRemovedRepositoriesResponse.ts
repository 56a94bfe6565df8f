// Original file: proto/lockstep/v1/cluster.proto

import type { RemovedRepository as _lockstep_v1_RemovedRepository, RemovedRepository__Output as _lockstep_v1_RemovedRepository__Output } from '../../lockstep/v1/RemovedRepository.ts';

export interface ListRemovedRepositoriesResponse {
  'repositories'?: (_lockstep_v1_RemovedRepository)[];
}

export interface ListRemovedRepositoriesResponse__Output {
  'repositories': (_lockstep_v1_RemovedRepository__Output)[];
}

// Original file: proto/lockstep/v1/cluster.proto

import type { Repository as _lockstep_v1_Repository, Repository__Output as _lockstep_v1_Repository__Output } from '../../lockstep/v1/Repository.ts';
import type { Replica as _lockstep_v1_Replica, Replica__Output as _lockstep_v1_Replica__Output } from '../../lockstep/v1/Replica.ts';
import type { Write as _lockstep_v1_Write, Write__Output as _lockstep_v1_Write__Output } from '../../lockstep/v1/Write.ts';

export interface GetRepositoryResponse {
  'repository'?: (_lockstep_v1_Repository | null);
  'replicas'?: (_lockstep_v1_Replica)[];
  'writer'?: (_lockstep_v1_Write | null);
}

export interface GetRepositoryResponse__Output {
  'repository': (_lockstep_v1_Repository__Output | null);
  'replicas': (_lockstep_v1_Replica__Output)[];
  'writer': (_lockstep_v1_Write__Output | null);
}

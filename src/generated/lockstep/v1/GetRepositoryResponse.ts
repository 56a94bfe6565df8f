// Original file: proto/lockstep/v1/cluster.proto

import type { Repository as _lockstep_v1_Repository, Repository__Output as _lockstep_v1_Repository__Output } from '../../lockstep/v1/Repository.ts';
import type { Replica as _lockstep_v1_Replica, Replica__Output as _lockstep_v1_Replica__Output } from '../../lockstep/v1/Replica.ts';
import type { Write as _lockstep_v1_Write, Write__Output as _lockstep_v1_Write__Output } from '../../lockstep/v1/Write.ts';
import type { Waiter as _lockstep_v1_Waiter, Waiter__Output as _lockstep_v1_Waiter__Output } from '../../lockstep/v1/Waiter.ts';
import type { SyncEvent as _lockstep_v1_SyncEvent, SyncEvent__Output as _lockstep_v1_SyncEvent__Output } from '../../lockstep/v1/SyncEvent.ts';
import type { WriteLock as _lockstep_v1_WriteLock, WriteLock__Output as _lockstep_v1_WriteLock__Output } from '../../lockstep/v1/WriteLock.ts';

export interface GetRepositoryResponse {
  'repository'?: (_lockstep_v1_Repository | null);
  'replicas'?: (_lockstep_v1_Replica)[];
  'writer'?: (_lockstep_v1_Write | null);
  'waiters'?: (_lockstep_v1_Waiter)[];
  'syncs'?: (_lockstep_v1_SyncEvent)[];
  'writeLocks'?: (_lockstep_v1_WriteLock)[];
}

export interface GetRepositoryResponse__Output {
  'repository': (_lockstep_v1_Repository__Output | null);
  'replicas': (_lockstep_v1_Replica__Output)[];
  'writer': (_lockstep_v1_Write__Output | null);
  'waiters': (_lockstep_v1_Waiter__Output)[];
  'syncs': (_lockstep_v1_SyncEvent__Output)[];
  'writeLocks': (_lockstep_v1_WriteLock__Output)[];
}

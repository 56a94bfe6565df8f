// Original file: proto/lockstep/v1/cluster.proto

import type { Device as _lockstep_v1_Device, Device__Output as _lockstep_v1_Device__Output } from '../../lockstep/v1/Device.ts';
import type { RepositoryStatus as _lockstep_v1_RepositoryStatus, RepositoryStatus__Output as _lockstep_v1_RepositoryStatus__Output } from '../../lockstep/v1/RepositoryStatus.ts';
import type { WriteLock as _lockstep_v1_WriteLock, WriteLock__Output as _lockstep_v1_WriteLock__Output } from '../../lockstep/v1/WriteLock.ts';
import type { UnknownDirectory as _lockstep_v1_UnknownDirectory, UnknownDirectory__Output as _lockstep_v1_UnknownDirectory__Output } from '../../lockstep/v1/UnknownDirectory.ts';
import type { Scrub as _lockstep_v1_Scrub, Scrub__Output as _lockstep_v1_Scrub__Output } from '../../lockstep/v1/Scrub.ts';
import type { WaitingKey as _lockstep_v1_WaitingKey, WaitingKey__Output as _lockstep_v1_WaitingKey__Output } from '../../lockstep/v1/WaitingKey.ts';
import type { Key as _lockstep_v1_Key, Key__Output as _lockstep_v1_Key__Output } from '../../lockstep/v1/Key.ts';
import type { KeptSpace as _lockstep_v1_KeptSpace, KeptSpace__Output as _lockstep_v1_KeptSpace__Output } from '../../lockstep/v1/KeptSpace.ts';

export interface GetStatusResponse {
  'devices'?: (_lockstep_v1_Device)[];
  'repositories'?: (_lockstep_v1_RepositoryStatus)[];
  'writeLocks'?: (_lockstep_v1_WriteLock)[];
  'unknown'?: (_lockstep_v1_UnknownDirectory)[];
  'scrubs'?: (_lockstep_v1_Scrub)[];
  'waitingKeys'?: (_lockstep_v1_WaitingKey)[];
  'revokedKeys'?: (_lockstep_v1_Key)[];
  'kept'?: (_lockstep_v1_KeptSpace)[];
  'warnings'?: (string)[];
}

export interface GetStatusResponse__Output {
  'devices': (_lockstep_v1_Device__Output)[];
  'repositories': (_lockstep_v1_RepositoryStatus__Output)[];
  'writeLocks': (_lockstep_v1_WriteLock__Output)[];
  'unknown': (_lockstep_v1_UnknownDirectory__Output)[];
  'scrubs': (_lockstep_v1_Scrub__Output)[];
  'waitingKeys': (_lockstep_v1_WaitingKey__Output)[];
  'revokedKeys': (_lockstep_v1_Key__Output)[];
  'kept': (_lockstep_v1_KeptSpace__Output)[];
  'warnings': (string)[];
}

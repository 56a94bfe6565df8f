// Original file: proto/lockstep/v1/cluster.proto

import type { Device as _lockstep_v1_Device, Device__Output as _lockstep_v1_Device__Output } from '../../lockstep/v1/Device.ts';
import type { RepositoryStatus as _lockstep_v1_RepositoryStatus, RepositoryStatus__Output as _lockstep_v1_RepositoryStatus__Output } from '../../lockstep/v1/RepositoryStatus.ts';

export interface GetStatusResponse {
  'devices'?: (_lockstep_v1_Device)[];
  'repositories'?: (_lockstep_v1_RepositoryStatus)[];
}

export interface GetStatusResponse__Output {
  'devices': (_lockstep_v1_Device__Output)[];
  'repositories': (_lockstep_v1_RepositoryStatus__Output)[];
}

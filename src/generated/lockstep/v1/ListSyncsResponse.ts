// Original file: proto/lockstep/v1/cluster.proto

import type { LoggedSync as _lockstep_v1_LoggedSync, LoggedSync__Output as _lockstep_v1_LoggedSync__Output } from '../../lockstep/v1/LoggedSync.ts';

export interface ListSyncsResponse {
  'syncs'?: (_lockstep_v1_LoggedSync)[];
}

export interface ListSyncsResponse__Output {
  'syncs': (_lockstep_v1_LoggedSync__Output)[];
}

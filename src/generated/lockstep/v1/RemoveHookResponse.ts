// Original file: proto/lockstep/v1/cluster.proto

import type { Hook as _lockstep_v1_Hook, Hook__Output as _lockstep_v1_Hook__Output } from '../../lockstep/v1/Hook.ts';

export interface RemoveHookResponse {
  'hook'?: (_lockstep_v1_Hook | null);
}

export interface RemoveHookResponse__Output {
  'hook': (_lockstep_v1_Hook__Output | null);
}

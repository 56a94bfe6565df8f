// Original file: proto/lockstep/v1/cluster.proto

import type { Hook as _lockstep_v1_Hook, Hook__Output as _lockstep_v1_Hook__Output } from '../../lockstep/v1/Hook.ts';

export interface AddHookResponse {
  'hook'?: (_lockstep_v1_Hook | null);
  'secret'?: (string);
}

export interface AddHookResponse__Output {
  'hook': (_lockstep_v1_Hook__Output | null);
  'secret': (string);
}

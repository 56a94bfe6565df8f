// Original file: proto/lockstep/v1/cluster.proto

import type { Hook as _lockstep_v1_Hook, Hook__Output as _lockstep_v1_Hook__Output } from '../../lockstep/v1/Hook.ts';

export interface ListHooksResponse {
  'hooks'?: (_lockstep_v1_Hook)[];
}

export interface ListHooksResponse__Output {
  'hooks': (_lockstep_v1_Hook__Output)[];
}

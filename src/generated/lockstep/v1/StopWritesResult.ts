// Original file: proto/lockstep/v1/cluster.proto

import type { Write as _lockstep_v1_Write, Write__Output as _lockstep_v1_Write__Output } from '../../lockstep/v1/Write.ts';

export interface StopWritesResult {
  'dropped'?: (_lockstep_v1_Write)[];
}

export interface StopWritesResult__Output {
  'dropped': (_lockstep_v1_Write__Output)[];
}

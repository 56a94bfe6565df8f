// Original file: proto/lockstep/v1/cluster.proto

import type { Write as _lockstep_v1_Write, Write__Output as _lockstep_v1_Write__Output } from '../../lockstep/v1/Write.ts';

export interface StopWritesProgress {
  'waitingFor'?: (_lockstep_v1_Write)[];
  'more'?: (number);
}

export interface StopWritesProgress__Output {
  'waitingFor': (_lockstep_v1_Write__Output)[];
  'more': (number);
}

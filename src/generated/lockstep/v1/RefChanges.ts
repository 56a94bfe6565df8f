// Original file: proto/lockstep/v1/sync.proto

import type { RefChange as _lockstep_v1_RefChange, RefChange__Output as _lockstep_v1_RefChange__Output } from '../../lockstep/v1/RefChange.ts';

export interface RefChanges {
  'changes'?: (_lockstep_v1_RefChange)[];
}

export interface RefChanges__Output {
  'changes': (_lockstep_v1_RefChange__Output)[];
}

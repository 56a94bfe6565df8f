// Original file: proto/lockstep/v1/sync.proto

import type { Write as _lockstep_v1_Write, Write__Output as _lockstep_v1_Write__Output } from '../../lockstep/v1/Write.ts';

export interface GetWriteResponse {
  'write'?: (_lockstep_v1_Write | null);
}

export interface GetWriteResponse__Output {
  'write': (_lockstep_v1_Write__Output | null);
}

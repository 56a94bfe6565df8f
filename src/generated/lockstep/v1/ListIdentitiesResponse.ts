// Original file: proto/lockstep/v1/cluster.proto

import type { Identity as _lockstep_v1_Identity, Identity__Output as _lockstep_v1_Identity__Output } from '../../lockstep/v1/Identity.ts';
import type { WaitingKey as _lockstep_v1_WaitingKey, WaitingKey__Output as _lockstep_v1_WaitingKey__Output } from '../../lockstep/v1/WaitingKey.ts';

export interface ListIdentitiesResponse {
  'identities'?: (_lockstep_v1_Identity)[];
  'waiting'?: (_lockstep_v1_WaitingKey)[];
}

export interface ListIdentitiesResponse__Output {
  'identities': (_lockstep_v1_Identity__Output)[];
  'waiting': (_lockstep_v1_WaitingKey__Output)[];
}

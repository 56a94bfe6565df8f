// Original file: proto/lockstep/v1/cluster.proto

import type { Identity as _lockstep_v1_Identity, Identity__Output as _lockstep_v1_Identity__Output } from '../../lockstep/v1/Identity.ts';

export interface TrustKeyResponse {
  'identity'?: (_lockstep_v1_Identity | null);
  'fingerprints'?: (string)[];
}

export interface TrustKeyResponse__Output {
  'identity': (_lockstep_v1_Identity__Output | null);
  'fingerprints': (string)[];
}

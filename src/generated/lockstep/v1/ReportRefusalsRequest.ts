// Original file: proto/lockstep/v1/cluster.proto

import type { RefusedUser as _lockstep_v1_RefusedUser, RefusedUser__Output as _lockstep_v1_RefusedUser__Output } from '../../lockstep/v1/RefusedUser.ts';

export interface ReportRefusalsRequest {
  'refused'?: (_lockstep_v1_RefusedUser)[];
}

export interface ReportRefusalsRequest__Output {
  'refused': (_lockstep_v1_RefusedUser__Output)[];
}

// Original file: proto/lockstep/v1/cluster.proto

import type { LogFilter as _lockstep_v1_LogFilter, LogFilter__Output as _lockstep_v1_LogFilter__Output } from '../../lockstep/v1/LogFilter.ts';

export interface ListPushesRequest {
  'filter'?: (_lockstep_v1_LogFilter | null);
}

export interface ListPushesRequest__Output {
  'filter': (_lockstep_v1_LogFilter__Output | null);
}

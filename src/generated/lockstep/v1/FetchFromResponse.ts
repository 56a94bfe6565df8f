// Original file: proto/lockstep/v1/sync.proto

import type { FetchProgress as _lockstep_v1_FetchProgress, FetchProgress__Output as _lockstep_v1_FetchProgress__Output } from '../../lockstep/v1/FetchProgress.ts';
import type { FetchResult as _lockstep_v1_FetchResult, FetchResult__Output as _lockstep_v1_FetchResult__Output } from '../../lockstep/v1/FetchResult.ts';

export interface FetchFromResponse {
  'progress'?: (_lockstep_v1_FetchProgress | null);
  'result'?: (_lockstep_v1_FetchResult | null);
  'event'?: "progress"|"result";
}

export interface FetchFromResponse__Output {
  'progress'?: (_lockstep_v1_FetchProgress__Output | null);
  'result'?: (_lockstep_v1_FetchResult__Output | null);
  'event'?: "progress"|"result";
}

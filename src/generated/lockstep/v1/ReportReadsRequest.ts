// Original file: proto/lockstep/v1/cluster.proto

import type { AnsweredRead as _lockstep_v1_AnsweredRead, AnsweredRead__Output as _lockstep_v1_AnsweredRead__Output } from '../../lockstep/v1/AnsweredRead.ts';

export interface ReportReadsRequest {
  'reads'?: (_lockstep_v1_AnsweredRead)[];
}

export interface ReportReadsRequest__Output {
  'reads': (_lockstep_v1_AnsweredRead__Output)[];
}

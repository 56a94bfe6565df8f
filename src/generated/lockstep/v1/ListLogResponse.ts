// Original file: proto/lockstep/v1/cluster.proto

import type { LogEntry as _lockstep_v1_LogEntry, LogEntry__Output as _lockstep_v1_LogEntry__Output } from '../../lockstep/v1/LogEntry.ts';

export interface ListLogResponse {
  'entries'?: (_lockstep_v1_LogEntry)[];
}

export interface ListLogResponse__Output {
  'entries': (_lockstep_v1_LogEntry__Output)[];
}

// Original file: proto/lockstep/v1/cluster.proto

import type { LogEntry as _lockstep_v1_LogEntry, LogEntry__Output as _lockstep_v1_LogEntry__Output } from '../../lockstep/v1/LogEntry.ts';

export interface WatchResponse {
  'cursor'?: (string);
  'repository'?: (string);
  'entry'?: (_lockstep_v1_LogEntry | null);
}

export interface WatchResponse__Output {
  'cursor': (string);
  'repository': (string);
  'entry': (_lockstep_v1_LogEntry__Output | null);
}

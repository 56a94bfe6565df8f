// Original file: proto/lockstep/v1/cluster.proto

import type { LogEntry as _lockstep_v1_LogEntry, LogEntry__Output as _lockstep_v1_LogEntry__Output } from '../../lockstep/v1/LogEntry.ts';
import type { Long } from '@grpc/proto-loader';

export interface ListLogResponse {
  'entries'?: (_lockstep_v1_LogEntry)[];
  'logBase'?: (number | string | Long);
}

export interface ListLogResponse__Output {
  'entries': (_lockstep_v1_LogEntry__Output)[];
  'logBase': (string);
}

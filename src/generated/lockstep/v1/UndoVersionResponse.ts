// Original file: proto/lockstep/v1/cluster.proto

import type { LogEntry as _lockstep_v1_LogEntry, LogEntry__Output as _lockstep_v1_LogEntry__Output } from '../../lockstep/v1/LogEntry.ts';
import type { RefUpdate as _lockstep_v1_RefUpdate, RefUpdate__Output as _lockstep_v1_RefUpdate__Output } from '../../lockstep/v1/RefUpdate.ts';
import type { CommitList as _lockstep_v1_CommitList, CommitList__Output as _lockstep_v1_CommitList__Output } from '../../lockstep/v1/CommitList.ts';
import type { Long } from '@grpc/proto-loader';

export interface UndoVersionResponse {
  'confirmation'?: (string);
  'done'?: (boolean);
  'version'?: (number | string | Long);
  'undone'?: (_lockstep_v1_LogEntry | null);
  'updates'?: (_lockstep_v1_RefUpdate)[];
  'moreUpdates'?: (number);
  'lost'?: (_lockstep_v1_CommitList | null);
  'gained'?: (_lockstep_v1_CommitList | null);
}

export interface UndoVersionResponse__Output {
  'confirmation': (string);
  'done': (boolean);
  'version': (string);
  'undone': (_lockstep_v1_LogEntry__Output | null);
  'updates': (_lockstep_v1_RefUpdate__Output)[];
  'moreUpdates': (number);
  'lost': (_lockstep_v1_CommitList__Output | null);
  'gained': (_lockstep_v1_CommitList__Output | null);
}

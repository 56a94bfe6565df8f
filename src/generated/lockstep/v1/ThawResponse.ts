// Original file: proto/lockstep/v1/cluster.proto

import type { RefUpdate as _lockstep_v1_RefUpdate, RefUpdate__Output as _lockstep_v1_RefUpdate__Output } from '../../lockstep/v1/RefUpdate.ts';
import type { LogEntry as _lockstep_v1_LogEntry, LogEntry__Output as _lockstep_v1_LogEntry__Output } from '../../lockstep/v1/LogEntry.ts';
import type { CommitList as _lockstep_v1_CommitList, CommitList__Output as _lockstep_v1_CommitList__Output } from '../../lockstep/v1/CommitList.ts';
import type { Long } from '@grpc/proto-loader';

export interface ThawResponse {
  'confirmation'?: (string);
  'done'?: (boolean);
  'headVersion'?: (number | string | Long);
  'version'?: (number | string | Long);
  'keeperDevice'?: (string);
  'keeperVersion'?: (number | string | Long);
  'updates'?: (_lockstep_v1_RefUpdate)[];
  'moreUpdates'?: (number);
  'givenUp'?: (_lockstep_v1_LogEntry)[];
  'lost'?: (_lockstep_v1_CommitList | null);
  'gained'?: (_lockstep_v1_CommitList | null);
}

export interface ThawResponse__Output {
  'confirmation': (string);
  'done': (boolean);
  'headVersion': (string);
  'version': (string);
  'keeperDevice': (string);
  'keeperVersion': (string);
  'updates': (_lockstep_v1_RefUpdate__Output)[];
  'moreUpdates': (number);
  'givenUp': (_lockstep_v1_LogEntry__Output)[];
  'lost': (_lockstep_v1_CommitList__Output | null);
  'gained': (_lockstep_v1_CommitList__Output | null);
}

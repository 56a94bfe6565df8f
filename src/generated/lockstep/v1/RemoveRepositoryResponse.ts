// Original file: proto/lockstep/v1/cluster.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Command as _lockstep_v1_Command, Command__Output as _lockstep_v1_Command__Output } from '../../lockstep/v1/Command.ts';

export interface RemoveRepositoryResponse {
  'repositoryId'?: (string);
  'keepUntil'?: (_google_protobuf_Timestamp | null);
  'commands'?: (_lockstep_v1_Command)[];
}

export interface RemoveRepositoryResponse__Output {
  'repositoryId': (string);
  'keepUntil': (_google_protobuf_Timestamp__Output | null);
  'commands': (_lockstep_v1_Command__Output)[];
}

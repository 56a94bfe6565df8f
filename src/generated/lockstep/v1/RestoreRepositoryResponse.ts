// Original file: proto/lockstep/v1/cluster.proto

import type { Command as _lockstep_v1_Command, Command__Output as _lockstep_v1_Command__Output } from '../../lockstep/v1/Command.ts';

export interface RestoreRepositoryResponse {
  'repositoryId'?: (string);
  'repository'?: (string);
  'commands'?: (_lockstep_v1_Command)[];
}

export interface RestoreRepositoryResponse__Output {
  'repositoryId': (string);
  'repository': (string);
  'commands': (_lockstep_v1_Command__Output)[];
}

// Original file: proto/lockstep/v1/cluster.proto

import type { Command as _lockstep_v1_Command, Command__Output as _lockstep_v1_Command__Output } from '../../lockstep/v1/Command.ts';

export interface GetCommandResponse {
  'command'?: (_lockstep_v1_Command | null);
}

export interface GetCommandResponse__Output {
  'command': (_lockstep_v1_Command__Output | null);
}

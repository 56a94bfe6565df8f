// Original file: proto/lockstep/v1/cluster.proto

import type { CommandState as _lockstep_v1_CommandState, CommandState__Output as _lockstep_v1_CommandState__Output } from '../../lockstep/v1/CommandState.ts';
import type { Long } from '@grpc/proto-loader';

export interface ListCommandsRequest {
  'repository'?: (string);
  'device'?: (string);
  'states'?: (_lockstep_v1_CommandState)[];
  'before'?: (number | string | Long);
  'limit'?: (number);
}

export interface ListCommandsRequest__Output {
  'repository': (string);
  'device': (string);
  'states': (_lockstep_v1_CommandState__Output)[];
  'before': (string);
  'limit': (number);
}

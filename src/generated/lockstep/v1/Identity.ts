// Original file: proto/lockstep/v1/cluster.proto

import type { Key as _lockstep_v1_Key, Key__Output as _lockstep_v1_Key__Output } from '../../lockstep/v1/Key.ts';

export interface Identity {
  'role'?: (string);
  'name'?: (string);
  'keys'?: (_lockstep_v1_Key)[];
  'repositories'?: (string)[];
  'readOnly'?: (boolean);
}

export interface Identity__Output {
  'role': (string);
  'name': (string);
  'keys': (_lockstep_v1_Key__Output)[];
  'repositories': (string)[];
  'readOnly': (boolean);
}

// Original file: proto/lockstep/v1/cluster.proto

import type { Visible as _lockstep_v1_Visible, Visible__Output as _lockstep_v1_Visible__Output } from '../../lockstep/v1/Visible.ts';

export interface AddHookRequest {
  'url'?: (string);
  'repositories'?: (string)[];
  'visible'?: (_lockstep_v1_Visible);
  'secret'?: (string);
  'author'?: (string);
}

export interface AddHookRequest__Output {
  'url': (string);
  'repositories': (string)[];
  'visible': (_lockstep_v1_Visible__Output);
  'secret': (string);
  'author': (string);
}

// Original file: proto/lockstep/v1/cluster.proto

import type { Commit as _lockstep_v1_Commit, Commit__Output as _lockstep_v1_Commit__Output } from '../../lockstep/v1/Commit.ts';

export interface CommitList {
  'commits'?: (_lockstep_v1_Commit)[];
  'more'?: (number);
  'missing'?: (string)[];
}

export interface CommitList__Output {
  'commits': (_lockstep_v1_Commit__Output)[];
  'more': (number);
  'missing': (string)[];
}

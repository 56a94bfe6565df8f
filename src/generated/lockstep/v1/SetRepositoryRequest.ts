// Original file: proto/lockstep/v1/cluster.proto

import type { Placement as _lockstep_v1_Placement, Placement__Output as _lockstep_v1_Placement__Output } from '../../lockstep/v1/Placement.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';

export interface SetRepositoryRequest {
  'repository'?: (string);
  'minCopies'?: (number);
  'landWithFewer'?: (boolean);
  'placement'?: (_lockstep_v1_Placement | null);
  'keepDays'?: (number);
  'author'?: (string);
  'serial'?: (boolean);
  'keepLog'?: (string);
  'updateLimit'?: (_google_protobuf_Duration | null);
  '_minCopies'?: "minCopies";
  '_landWithFewer'?: "landWithFewer";
  '_serial'?: "serial";
  '_keepLog'?: "keepLog";
  '_keepDays'?: "keepDays";
}

export interface SetRepositoryRequest__Output {
  'repository': (string);
  'minCopies'?: (number);
  'landWithFewer'?: (boolean);
  'placement': (_lockstep_v1_Placement__Output | null);
  'keepDays'?: (number);
  'author': (string);
  'serial'?: (boolean);
  'keepLog'?: (string);
  'updateLimit': (_google_protobuf_Duration__Output | null);
  '_minCopies'?: "minCopies";
  '_landWithFewer'?: "landWithFewer";
  '_serial'?: "serial";
  '_keepLog'?: "keepLog";
  '_keepDays'?: "keepDays";
}

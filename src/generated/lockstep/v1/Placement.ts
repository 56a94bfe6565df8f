// Original file: proto/lockstep/v1/cluster.proto


export interface Placement {
  'all'?: (boolean);
  'devices'?: (string)[];
}

export interface Placement__Output {
  'all': (boolean);
  'devices': (string)[];
}

// Original file: proto/lockstep/v1/cluster.proto


export interface Access {
  'repositories'?: (string)[];
  'readOnly'?: (boolean);
}

export interface Access__Output {
  'repositories': (string)[];
  'readOnly': (boolean);
}

// Original file: proto/lockstep/v1/cluster.proto


export interface PushedRef {
  'name'?: (string);
  'oldValue'?: (string);
  'newValue'?: (string);
  'refused'?: (string);
}

export interface PushedRef__Output {
  'name': (string);
  'oldValue': (string);
  'newValue': (string);
  'refused': (string);
}

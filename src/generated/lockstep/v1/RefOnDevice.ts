// Original file: proto/lockstep/v1/cluster.proto


export interface RefOnDevice {
  'device'?: (string);
  'value'?: (string);
}

export interface RefOnDevice__Output {
  'device': (string);
  'value': (string);
}

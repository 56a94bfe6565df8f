// Original file: proto/lockstep/v1/cluster.proto


export interface RefUpdate {
  'name'?: (Buffer | Uint8Array | string);
  'oldValue'?: (string);
  'newValue'?: (string);
}

export interface RefUpdate__Output {
  'name': (Buffer);
  'oldValue': (string);
  'newValue': (string);
}

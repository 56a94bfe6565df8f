// Original file: proto/lockstep/v1/cluster.proto


export interface RefDifference {
  'name'?: (Buffer | Uint8Array | string);
  'onDisk'?: (string);
  'inLog'?: (string);
}

export interface RefDifference__Output {
  'name': (Buffer);
  'onDisk': (string);
  'inLog': (string);
}

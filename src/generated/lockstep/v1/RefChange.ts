// Original file: proto/lockstep/v1/sync.proto


export interface RefChange {
  'name'?: (Buffer | Uint8Array | string);
  'objectId'?: (string);
}

export interface RefChange__Output {
  'name': (Buffer);
  'objectId': (string);
}

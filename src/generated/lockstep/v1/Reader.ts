// Original file: proto/lockstep/v1/sync.proto


export interface Reader {
  'user'?: (string);
  'address'?: (string);
  'requestId'?: (string);
}

export interface Reader__Output {
  'user': (string);
  'address': (string);
  'requestId': (string);
}

// Original file: proto/lockstep/v1/cluster.proto


export interface ListAuthorizedKeysRequest {
  'key'?: (string);
  'shell'?: (string);
}

export interface ListAuthorizedKeysRequest__Output {
  'key': (string);
  'shell': (string);
}

// Original file: proto/lockstep/v1/cluster.proto


export interface ListAuthorizedKeysResponse {
  'lines'?: (string)[];
}

export interface ListAuthorizedKeysResponse__Output {
  'lines': (string)[];
}

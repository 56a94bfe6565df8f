// Original file: proto/lockstep/v1/cluster.proto


export interface ListIdentitiesRequest {
  'role'?: (string);
  'name'?: (string);
}

export interface ListIdentitiesRequest__Output {
  'role': (string);
  'name': (string);
}

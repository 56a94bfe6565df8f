// Original file: proto/lockstep/v1/cluster.proto


export interface MakeEnrollTokenRequest {
  'name'?: (string);
  'author'?: (string);
}

export interface MakeEnrollTokenRequest__Output {
  'name': (string);
  'author': (string);
}

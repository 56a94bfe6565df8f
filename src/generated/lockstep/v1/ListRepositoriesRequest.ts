// Original file: proto/lockstep/v1/cluster.proto


export interface ListRepositoriesRequest {
  'after'?: (string);
  'limit'?: (number);
}

export interface ListRepositoriesRequest__Output {
  'after': (string);
  'limit': (number);
}

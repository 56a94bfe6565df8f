// Original file: proto/lockstep/v1/cluster.proto


export interface ListRemovedRepositoriesRequest {
  'limit'?: (number);
}

export interface ListRemovedRepositoriesRequest__Output {
  'limit': (number);
}

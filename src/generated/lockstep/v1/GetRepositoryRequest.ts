// Original file: proto/lockstep/v1/cluster.proto


export interface GetRepositoryRequest {
  'repository'?: (string);
}

export interface GetRepositoryRequest__Output {
  'repository': (string);
}

// Original file: proto/lockstep/v1/cluster.proto


export interface CreateRepositoryRequest {
  'repository'?: (string);
  'devices'?: (string)[];
  'defaultBranch'?: (string);
  'objectFormat'?: (string);
  'minCopies'?: (number);
}

export interface CreateRepositoryRequest__Output {
  'repository': (string);
  'devices': (string)[];
  'defaultBranch': (string);
  'objectFormat': (string);
  'minCopies': (number);
}

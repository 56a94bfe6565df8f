// Original file: proto/lockstep/v1/cluster.proto


export interface RestoreRepositoryRequest {
  'repository'?: (string);
  'repositoryId'?: (string);
  'newName'?: (string);
  'author'?: (string);
  'reason'?: (string);
  'atOnce'?: (boolean);
}

export interface RestoreRepositoryRequest__Output {
  'repository': (string);
  'repositoryId': (string);
  'newName': (string);
  'author': (string);
  'reason': (string);
  'atOnce': (boolean);
}

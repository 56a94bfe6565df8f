// Original file: proto/lockstep/v1/cluster.proto


export interface RenameRepositoryRequest {
  'repository'?: (string);
  'newName'?: (string);
  'author'?: (string);
  'reason'?: (string);
  'atOnce'?: (boolean);
}

export interface RenameRepositoryRequest__Output {
  'repository': (string);
  'newName': (string);
  'author': (string);
  'reason': (string);
  'atOnce': (boolean);
}

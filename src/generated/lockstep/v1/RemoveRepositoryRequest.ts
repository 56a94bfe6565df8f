// Original file: proto/lockstep/v1/cluster.proto


export interface RemoveRepositoryRequest {
  'repository'?: (string);
  'repositoryId'?: (string);
  'keepDays'?: (number);
  'author'?: (string);
  'reason'?: (string);
  'atOnce'?: (boolean);
  '_keepDays'?: "keepDays";
}

export interface RemoveRepositoryRequest__Output {
  'repository': (string);
  'repositoryId': (string);
  'keepDays'?: (number);
  'author': (string);
  'reason': (string);
  'atOnce': (boolean);
  '_keepDays'?: "keepDays";
}

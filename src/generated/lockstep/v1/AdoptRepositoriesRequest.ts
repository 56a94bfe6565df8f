// Original file: proto/lockstep/v1/cluster.proto


export interface AdoptRepositoriesRequest {
  'repositories'?: (string)[];
  'all'?: (boolean);
  'from'?: (string);
  'dryRun'?: (boolean);
  'author'?: (string);
}

export interface AdoptRepositoriesRequest__Output {
  'repositories': (string)[];
  'all': (boolean);
  'from': (string);
  'dryRun': (boolean);
  'author': (string);
}

// Original file: proto/lockstep/v1/cluster.proto


export interface ThawRequest {
  'repository'?: (string);
  'promote'?: (string);
  'demote'?: (string)[];
  'confirmation'?: (string);
  'author'?: (string);
}

export interface ThawRequest__Output {
  'repository': (string);
  'promote': (string);
  'demote': (string)[];
  'confirmation': (string);
  'author': (string);
}

// Original file: proto/lockstep/v1/sync.proto


export interface BumpVersionRequest {
  'repository'?: (string);
  'token'?: (string);
}

export interface BumpVersionRequest__Output {
  'repository': (string);
  'token': (string);
}

// Original file: proto/lockstep/v1/sync.proto


export interface GetVersionRequest {
  'repository'?: (string);
}

export interface GetVersionRequest__Output {
  'repository': (string);
}

// Original file: proto/lockstep/v1/sync.proto


export interface RenewWriteRequest {
  'repository'?: (string);
  'token'?: (string);
}

export interface RenewWriteRequest__Output {
  'repository': (string);
  'token': (string);
}

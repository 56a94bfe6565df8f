// Original file: proto/lockstep/v1/sync.proto


export interface GetWriteRequest {
  'repository'?: (string);
  'writeId'?: (string);
}

export interface GetWriteRequest__Output {
  'repository': (string);
  'writeId': (string);
}

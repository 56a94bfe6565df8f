// Original file: proto/lockstep/v1/sync.proto


export interface AbortWriteRequest {
  'repository'?: (string);
  'token'?: (string);
  'reason'?: (string);
  'writeId'?: (string);
}

export interface AbortWriteRequest__Output {
  'repository': (string);
  'token': (string);
  'reason': (string);
  'writeId': (string);
}

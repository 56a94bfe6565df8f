// Original file: proto/lockstep/v1/sync.proto


export interface AbortWriteResponse {
  'writeId'?: (string);
  'savedRefs'?: (string)[];
}

export interface AbortWriteResponse__Output {
  'writeId': (string);
  'savedRefs': (string)[];
}

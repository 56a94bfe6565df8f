// Original file: proto/lockstep/v1/cluster.proto


export interface RevokeKeyRequest {
  'role'?: (string);
  'name'?: (string);
  'fingerprint'?: (string);
  'reason'?: (string);
  'author'?: (string);
}

export interface RevokeKeyRequest__Output {
  'role': (string);
  'name': (string);
  'fingerprint': (string);
  'reason': (string);
  'author': (string);
}

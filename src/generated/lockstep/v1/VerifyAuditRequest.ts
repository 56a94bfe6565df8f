// Original file: proto/lockstep/v1/cluster.proto


export interface VerifyAuditRequest {
  'through'?: (string);
}

export interface VerifyAuditRequest__Output {
  'through': (string);
}

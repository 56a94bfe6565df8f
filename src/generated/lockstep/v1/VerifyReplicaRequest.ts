// Original file: proto/lockstep/v1/cluster.proto


export interface VerifyReplicaRequest {
  'repository'?: (string);
  'full'?: (boolean);
}

export interface VerifyReplicaRequest__Output {
  'repository': (string);
  'full': (boolean);
}

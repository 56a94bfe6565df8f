// Original file: proto/lockstep/v1/cluster.proto


export interface VerifyReplicaRequest {
  'repository'?: (string);
}

export interface VerifyReplicaRequest__Output {
  'repository': (string);
}

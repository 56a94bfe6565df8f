// Original file: proto/lockstep/v1/cluster.proto


export interface GetCommandRequest {
  'id'?: (string);
}

export interface GetCommandRequest__Output {
  'id': (string);
}

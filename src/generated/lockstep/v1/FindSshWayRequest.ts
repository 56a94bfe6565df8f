// Original file: proto/lockstep/v1/cluster.proto


export interface FindSshWayRequest {
  'host'?: (string);
  'port'?: (number);
}

export interface FindSshWayRequest__Output {
  'host': (string);
  'port': (number);
}

// Original file: proto/lockstep/v1/cluster.proto


export interface FindSshWayResponse {
  'device'?: (string);
  'user'?: (string);
  'host'?: (string);
  'port'?: (number);
  'keyFile'?: (string);
  'hostKeysFile'?: (string);
}

export interface FindSshWayResponse__Output {
  'device': (string);
  'user': (string);
  'host': (string);
  'port': (number);
  'keyFile': (string);
  'hostKeysFile': (string);
}

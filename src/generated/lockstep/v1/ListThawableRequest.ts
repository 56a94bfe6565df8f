// Original file: proto/lockstep/v1/cluster.proto


export interface ListThawableRequest {
  'promote'?: (string);
  'demote'?: (string)[];
}

export interface ListThawableRequest__Output {
  'promote': (string);
  'demote': (string)[];
}

// Original file: proto/lockstep/v1/cluster.proto


export interface ListThawableResponse {
  'repositories'?: (string)[];
}

export interface ListThawableResponse__Output {
  'repositories': (string)[];
}

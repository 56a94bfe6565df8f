// Original file: proto/lockstep/v1/cluster.proto


export interface WatchCommandsRequest {
  'ids'?: (string)[];
}

export interface WatchCommandsRequest__Output {
  'ids': (string)[];
}

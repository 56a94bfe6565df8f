// Original file: proto/lockstep/v1/cluster.proto


export interface RemoveHookRequest {
  'hook'?: (string);
}

export interface RemoveHookRequest__Output {
  'hook': (string);
}

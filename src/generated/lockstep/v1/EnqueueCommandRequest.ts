// Original file: proto/lockstep/v1/cluster.proto


export interface EnqueueCommandRequest {
  'repository'?: (string);
  'device'?: (string);
  'command'?: (string);
  'author'?: (string);
  'reason'?: (string);
}

export interface EnqueueCommandRequest__Output {
  'repository': (string);
  'device': (string);
  'command': (string);
  'author': (string);
  'reason': (string);
}

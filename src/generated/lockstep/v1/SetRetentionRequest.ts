// Original file: proto/lockstep/v1/cluster.proto


export interface SetRetentionRequest {
  'subject'?: (string);
  'keep'?: (string);
  'author'?: (string);
}

export interface SetRetentionRequest__Output {
  'subject': (string);
  'keep': (string);
  'author': (string);
}

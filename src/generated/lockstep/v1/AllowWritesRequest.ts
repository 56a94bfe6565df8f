// Original file: proto/lockstep/v1/cluster.proto


export interface AllowWritesRequest {
  'repositories'?: (string)[];
  'author'?: (string);
}

export interface AllowWritesRequest__Output {
  'repositories': (string)[];
  'author': (string);
}

// Original file: proto/lockstep/v1/cluster.proto


export interface UndrainDeviceRequest {
  'device'?: (string);
  'author'?: (string);
}

export interface UndrainDeviceRequest__Output {
  'device': (string);
  'author': (string);
}

// Original file: proto/lockstep/v1/cluster.proto


export interface RemoveDeviceRequest {
  'device'?: (string);
  'author'?: (string);
}

export interface RemoveDeviceRequest__Output {
  'device': (string);
  'author': (string);
}

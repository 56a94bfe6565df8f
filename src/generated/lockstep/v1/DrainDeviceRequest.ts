// Original file: proto/lockstep/v1/cluster.proto


export interface DrainDeviceRequest {
  'device'?: (string);
  'author'?: (string);
}

export interface DrainDeviceRequest__Output {
  'device': (string);
  'author': (string);
}

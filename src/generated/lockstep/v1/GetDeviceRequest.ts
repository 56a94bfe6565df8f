// Original file: proto/lockstep/v1/cluster.proto


export interface GetDeviceRequest {
  'device'?: (string);
}

export interface GetDeviceRequest__Output {
  'device': (string);
}

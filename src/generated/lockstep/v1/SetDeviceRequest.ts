// Original file: proto/lockstep/v1/cluster.proto


export interface SetDeviceRequest {
  'device'?: (string);
  'writes'?: (boolean);
  'author'?: (string);
  '_writes'?: "writes";
}

export interface SetDeviceRequest__Output {
  'device': (string);
  'writes'?: (boolean);
  'author': (string);
  '_writes'?: "writes";
}

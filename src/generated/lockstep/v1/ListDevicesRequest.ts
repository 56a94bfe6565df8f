// Original file: proto/lockstep/v1/cluster.proto


export interface ListDevicesRequest {
}

export interface ListDevicesRequest__Output {
}

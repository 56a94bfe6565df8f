// Original file: proto/lockstep/v1/cluster.proto


export interface ListHooksRequest {
}

export interface ListHooksRequest__Output {
}

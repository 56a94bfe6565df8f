// Original file: proto/lockstep/v1/cluster.proto


export interface GetRetentionRequest {
}

export interface GetRetentionRequest__Output {
}

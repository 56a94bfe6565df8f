// Original file: proto/lockstep/v1/cluster.proto


export interface ReportRefusalsResponse {
}

export interface ReportRefusalsResponse__Output {
}

// Original file: proto/lockstep/v1/cluster.proto


export interface ReportReadsResponse {
}

export interface ReportReadsResponse__Output {
}

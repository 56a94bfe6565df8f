// Original file: proto/lockstep/v1/cluster.proto


export interface ReportDamageResponse {
  'ordered'?: (boolean);
}

export interface ReportDamageResponse__Output {
  'ordered': (boolean);
}

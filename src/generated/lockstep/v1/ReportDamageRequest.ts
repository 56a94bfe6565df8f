// Original file: proto/lockstep/v1/cluster.proto


export interface ReportDamageRequest {
  'repository'?: (string);
  'said'?: (string);
}

export interface ReportDamageRequest__Output {
  'repository': (string);
  'said': (string);
}

// Original file: proto/lockstep/v1/cluster.proto

import type { AuditEntry as _lockstep_v1_AuditEntry, AuditEntry__Output as _lockstep_v1_AuditEntry__Output } from '../../lockstep/v1/AuditEntry.ts';

export interface ListAuditResponse {
  'entries'?: (_lockstep_v1_AuditEntry)[];
}

export interface ListAuditResponse__Output {
  'entries': (_lockstep_v1_AuditEntry__Output)[];
}

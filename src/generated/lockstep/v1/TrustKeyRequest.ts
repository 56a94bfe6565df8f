// Original file: proto/lockstep/v1/cluster.proto

import type { Access as _lockstep_v1_Access, Access__Output as _lockstep_v1_Access__Output } from '../../lockstep/v1/Access.ts';

export interface TrustKeyRequest {
  'role'?: (string);
  'name'?: (string);
  'fingerprint'?: (string);
  'certificate'?: (string);
  'author'?: (string);
  'access'?: (_lockstep_v1_Access | null);
  'sshKey'?: (string);
  'sshHostKey'?: (string);
}

export interface TrustKeyRequest__Output {
  'role': (string);
  'name': (string);
  'fingerprint': (string);
  'certificate': (string);
  'author': (string);
  'access': (_lockstep_v1_Access__Output | null);
  'sshKey': (string);
  'sshHostKey': (string);
}

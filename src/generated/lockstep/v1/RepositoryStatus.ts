// Original file: proto/lockstep/v1/cluster.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface RepositoryStatus {
  'repository'?: (string);
  'headVersion'?: (number | string | Long);
  'behind'?: (string)[];
  'broken'?: (string)[];
  'leaders'?: (string)[];
  'writing'?: (boolean);
  'writesStopped'?: (boolean);
  'stopped'?: (string);
  'unsafe'?: (boolean);
  'landedAt'?: (_google_protobuf_Timestamp | null);
}

export interface RepositoryStatus__Output {
  'repository': (string);
  'headVersion': (string);
  'behind': (string)[];
  'broken': (string)[];
  'leaders': (string)[];
  'writing': (boolean);
  'writesStopped': (boolean);
  'stopped': (string);
  'unsafe': (boolean);
  'landedAt': (_google_protobuf_Timestamp__Output | null);
}

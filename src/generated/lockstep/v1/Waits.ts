// Original file: proto/lockstep/v1/cluster.proto

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from '../../google/protobuf/Duration.ts';

export interface Waits {
  'host'?: (_google_protobuf_Duration | null);
  'database'?: (_google_protobuf_Duration | null);
  'copies'?: (_google_protobuf_Duration | null);
  'writers'?: (_google_protobuf_Duration | null);
  'reads'?: (_google_protobuf_Duration | null);
  'hooks'?: (_google_protobuf_Duration | null);
}

export interface Waits__Output {
  'host': (_google_protobuf_Duration__Output | null);
  'database': (_google_protobuf_Duration__Output | null);
  'copies': (_google_protobuf_Duration__Output | null);
  'writers': (_google_protobuf_Duration__Output | null);
  'reads': (_google_protobuf_Duration__Output | null);
  'hooks': (_google_protobuf_Duration__Output | null);
}

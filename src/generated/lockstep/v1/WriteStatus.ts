// Original file: proto/lockstep/v1/sync.proto

export const WriteStatus = {
  WRITE_STATUS_UNSPECIFIED: 'WRITE_STATUS_UNSPECIFIED',
  WRITE_STATUS_STAGED: 'WRITE_STATUS_STAGED',
  WRITE_STATUS_LANDED: 'WRITE_STATUS_LANDED',
  WRITE_STATUS_DROPPED: 'WRITE_STATUS_DROPPED',
} as const;

export type WriteStatus =
  | 'WRITE_STATUS_UNSPECIFIED'
  | 0
  | 'WRITE_STATUS_STAGED'
  | 1
  | 'WRITE_STATUS_LANDED'
  | 2
  | 'WRITE_STATUS_DROPPED'
  | 3

export type WriteStatus__Output = typeof WriteStatus[keyof typeof WriteStatus]

// Original file: proto/lockstep/v1/cluster.proto

export const Visible = {
  VISIBLE_UNSPECIFIED: 'VISIBLE_UNSPECIFIED',
  VISIBLE_LANDED: 'VISIBLE_LANDED',
  VISIBLE_EVERYWHERE: 'VISIBLE_EVERYWHERE',
} as const;

export type Visible =
  | 'VISIBLE_UNSPECIFIED'
  | 0
  | 'VISIBLE_LANDED'
  | 1
  | 'VISIBLE_EVERYWHERE'
  | 2

export type Visible__Output = typeof Visible[keyof typeof Visible]

// Original file: proto/lockstep/v1/cluster.proto


export interface RetentionRule {
  'subject'?: (string);
  'what'?: (string);
  'rule'?: (string);
  'keep'?: (string);
  'defaultKeep'?: (string);
  'onDisk'?: (boolean);
}

export interface RetentionRule__Output {
  'subject': (string);
  'what': (string);
  'rule': (string);
  'keep': (string);
  'defaultKeep': (string);
  'onDisk': (boolean);
}

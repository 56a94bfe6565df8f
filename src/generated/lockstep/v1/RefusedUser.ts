// Original file: proto/lockstep/v1/cluster.proto


export interface RefusedUser {
  'user'?: (string);
  'address'?: (string);
  'way'?: (string);
  'forbidden'?: (boolean);
  'why'?: (string);
  'count'?: (number);
}

export interface RefusedUser__Output {
  'user': (string);
  'address': (string);
  'way': (string);
  'forbidden': (boolean);
  'why': (string);
  'count': (number);
}

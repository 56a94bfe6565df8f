// Original file: proto/lockstep/v1/cluster.proto


export interface SetRepositoryRequest {
  'repository'?: (string);
  'minCopies'?: (number);
  'landWithFewer'?: (boolean);
  '_minCopies'?: "minCopies";
  '_landWithFewer'?: "landWithFewer";
}

export interface SetRepositoryRequest__Output {
  'repository': (string);
  'minCopies'?: (number);
  'landWithFewer'?: (boolean);
  '_minCopies'?: "minCopies";
  '_landWithFewer'?: "landWithFewer";
}

// The fields of the custom resource Cluster of CloudNativePG that deploy/kubernetes uses, from its CRD (release 1.30).
// No package has them.

/** A resource `Cluster` of postgresql.cnpg.io/v1. */
export interface PostgresCluster {
  readonly apiVersion: "postgresql.cnpg.io/v1";
  readonly kind: "Cluster";
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: {
    readonly instances: number;
    readonly bootstrap?: {
      readonly initdb?: { readonly database?: string; readonly owner?: string; readonly encoding?: string };
    };
    readonly postgresql?: {
      readonly parameters?: Readonly<Record<string, string>>;
      readonly synchronous?: {
        readonly method: "any" | "first";
        readonly number: number;
        readonly dataDurability?: "required" | "preferred";
        readonly failoverQuorum?: boolean;
      };
    };
    readonly affinity?: {
      readonly enablePodAntiAffinity?: boolean;
      readonly topologyKey?: string;
      readonly podAntiAffinityType?: "required" | "preferred";
    };
    readonly resources?: {
      readonly requests?: { readonly cpu?: string; readonly memory?: string };
      readonly limits?: { readonly cpu?: string; readonly memory?: string };
    };
    readonly storage?: { readonly size?: string; readonly storageClass?: string };
  };
}

import type { Role } from "../../tls/identity.ts";

/** Who makes a call. */
export interface Caller {
  readonly role: Role;
  readonly name: string;
  /** True on the unix socket, where the permissions of the file have let the caller in. */
  readonly local?: boolean;
}

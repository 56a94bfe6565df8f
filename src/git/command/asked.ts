// The combinations of operation, repository, transport and credential that exist. No other combination compiles.
import type { AsDeviceHttps, AsDeviceSsh, NamedHttps, NamedSsh, None } from "./credentials.ts";
import type { Fetch, ForUser, ListRefs, Local, Serve } from "./operations.ts";
import type {
  FileTransport,
  HttpsToDevice,
  HttpsToServer,
  HttpToServer,
  SshToDevice,
  SshToServer,
} from "./transports.ts";

/** The repository on which a command works. */
export interface Repository {
  /** Its directory on this machine, absolute. A command that serves nobody has to start in it. */
  readonly gitDir: string;
}

/** A repository, and another one that a command reaches. */
export interface NamedRepository extends Repository {
  /**
   * Of a device: the name of the repository. Of a server: the path in the URL. Of a directory: its absolute path.
   */
  readonly name: string;
}

/** Everything that decides about a command. */
export type Asked =
  | {
      readonly operation: Local | Serve | ForUser;
      readonly repository: Repository;
      readonly transport: FileTransport;
      readonly credential: None;
    }
  | ({ readonly operation: Fetch | ListRefs; readonly repository: NamedRepository } & Way);

/** The pairs of transport and credential that exist. */
export type Way =
  | { readonly transport: FileTransport; readonly credential: None }
  | { readonly transport: HttpsToDevice; readonly credential: AsDeviceHttps }
  | { readonly transport: SshToDevice; readonly credential: AsDeviceSsh }
  | { readonly transport: HttpsToServer; readonly credential: None | NamedHttps }
  | { readonly transport: HttpToServer; readonly credential: None }
  | { readonly transport: SshToServer; readonly credential: NamedSsh };

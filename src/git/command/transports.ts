// How git reaches the repository of an operation.

/** A directory of this machine. */
export interface FileTransport {
  readonly transport: "file";
}

/** https, to another device of the cluster: the git port. */
export interface HttpsToDevice {
  readonly transport: "https";
  readonly to: "device";
  /** host:port. git checks that the certificate is for this host. */
  readonly address: string;
  /** SHA-256 of the public key of the device that must answer, in base64. The registry pins it. */
  readonly publicKey: string;
}

/** ssh, to another device of the cluster. `lockstep ssh-connect` makes the connection and checks the host key. */
export interface SshToDevice {
  readonly transport: "ssh";
  readonly to: "device";
  /** host or host:port. */
  readonly address: string;
  /** The account of git on that machine. */
  readonly user: string;
}

/** https, to a server outside the cluster. */
export interface HttpsToServer {
  readonly transport: "https";
  readonly to: "server";
  /** host or host:port. */
  readonly address: string;
  /** A file of the authorities that may have signed its certificate. undefined: those of the machine. */
  readonly ca?: string;
  /** SHA-256 of its public key, in base64. undefined: any key with a good certificate. */
  readonly publicKey?: string;
}

/** http, to a server outside the cluster. */
export interface HttpToServer {
  readonly transport: "http";
  readonly to: "server";
  readonly address: string;
}

/** ssh, to a server outside the cluster. */
export interface SshToServer {
  readonly transport: "ssh";
  readonly to: "server";
  readonly address: string;
  readonly user: string;
  /** A file with the keys of the server, in the form of known_hosts. No other key is accepted. */
  readonly knownHosts: string;
}

export type Transport = FileTransport | HttpsToDevice | SshToDevice | HttpsToServer | HttpToServer | SshToServer;

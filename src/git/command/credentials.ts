// The credential that a git command shows. All secrets are files, of which only the names are here.

/** Nothing: anybody may do the same. */
export interface None {
  readonly credential: "none";
}

/** The device itself over https: files of its certificate and key, and of the authorities that it trusts. */
export interface AsDeviceHttps {
  readonly credential: "as-device";
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** The device itself over ssh. */
export interface AsDeviceSsh {
  readonly credential: "as-device";
  /** The program `lockstep` with its first arguments, such as node and a path. `ssh-connect` follows. */
  readonly program: readonly string[];
  /** The settings of `lockstep ssh-connect`: each a variable that names a file or a directory. */
  readonly files: Readonly<Record<`LOCKSTEP_${string}`, string>>;
}

/** A credential that an operator named, for https: a file of settings for git, which holds the secret. */
export interface NamedHttps {
  readonly credential: "named";
  /** Made by named-credential.ts, readable for nobody else. */
  readonly include: string;
}

/** A credential that an operator named, for ssh: the file of a private key without a passphrase. */
export interface NamedSsh {
  readonly credential: "named";
  readonly identity: string;
}

export type Credential = None | AsDeviceHttps | AsDeviceSsh | NamedHttps | NamedSsh;

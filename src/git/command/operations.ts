// Everything that Lockstep lets git do. An operation that is not listed here cannot be started.
import type { RefFormat } from "../../domain.ts";
import type { Settings } from "./command.ts";

/** The commands of git that the sidecar runs on a directory of its own machine. */
export const LOCAL = [
  "cat-file",
  "commit-graph",
  "config",
  "for-each-ref",
  "index-pack",
  "init",
  "log",
  "merge-base",
  "multi-pack-index",
  "pack-objects",
  "pack-refs",
  "rev-list",
  "rev-parse",
  "symbolic-ref",
  "unpack-objects",
  "update-ref",
  "verify-pack",
  "version",
] as const;

/** A git command and its arguments. A path stands behind `--`. */
export type LocalArguments = readonly [(typeof LOCAL)[number], ...string[]];

/** The objects that a command uses in place of those of its repository. */
export interface ObjectPlace {
  readonly GIT_OBJECT_DIRECTORY: string;
  /** Quoted as git wants it. */
  readonly GIT_ALTERNATE_OBJECT_DIRECTORIES?: string;
}

/** The folder of the hooks that run. "configured": the folder that the settings of the repository name. */
export type Hooks = { readonly folder: string } | "configured";

/** A command on a repository of this machine. */
export interface Local {
  readonly kind: "local";
  readonly args: LocalArguments;
  readonly settings?: Settings;
  readonly objects?: ObjectPlace;
  /** Variables that name the author of a change of refs. */
  readonly author?: Readonly<Record<string, string>>;
  /** undefined: no hook runs. */
  readonly hooks?: Hooks;
  readonly refFormat?: RefFormat;
}

/** Brings objects by their ids from another repository, and writes no ref. */
export interface Fetch {
  readonly kind: "fetch";
  readonly wants: readonly string[];
  readonly objects?: ObjectPlace;
  /** git gives up when nothing comes for this long. */
  readonly silentSeconds: number;
}

/** Lists the refs of another repository. */
export interface ListRefs {
  readonly kind: "ls-remote";
  readonly silentSeconds: number;
}

/** Answers one request of a client, or of another device. */
export interface Serve {
  readonly kind: "serve";
  readonly service: "upload-pack" | "receive-pack";
  readonly advertisement: boolean;
  /** The whole dialogue over one connection, as over ssh. undefined: one request of HTTP. */
  readonly dialogue?: boolean;
  readonly client: HttpClient | DeviceClient | ShellClient;
}

/** A client of the gate. Its git is the git server: the operator's configuration and hooks count. */
export interface HttpClient {
  readonly kind: "client";
  readonly address: string;
  /** undefined: an anonymous client. */
  readonly user: string | undefined;
  /** The value of its Git-Protocol header. */
  readonly protocol: string | undefined;
  readonly requestId: string;
  /** The place of the gate's work in a trace, as W3C Trace Context writes it. */
  readonly traceparent?: string | undefined;
  /** The directory where the hooks of git find the sidecar. */
  readonly socketDir: string;
  /** How many refs a push may change; 0: any number. */
  readonly pushRefs: number;
  /** Every object of a push must be smaller than so many MiB; 0: any size. Default: 1,024. */
  readonly pushObject?: number;
  /** The path of the program that a read asks for its pack. undefined: git makes each pack. */
  readonly packsHook?: string | undefined;
}

/** Another device at the git port. */
export interface DeviceClient {
  readonly kind: "device";
  readonly protocol: string | undefined;
}

/** The commands that run with the configuration of a person. */
export const USERS = ["add", "clone", "commit", "config", "init", "push", "rev-parse"] as const;

/**
 * A command as a person would run it: the doctor asks what the git server's own git reads, and the demo shows pushes
 * and clones. The person's configuration counts.
 */
export interface ForUser {
  readonly kind: "user";
  readonly args: readonly [(typeof USERS)[number], ...string[]];
  /** Variables of that person which choose a configuration or name an author. */
  readonly variables: Readonly<Record<string, string>>;
}

/** A client that starts git through the shim: over ssh, or with `--upload-pack`. */
export interface ShellClient {
  readonly kind: "shell";
  /** The environment of that client. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** How many refs a push may change. undefined: any number. */
  readonly pushRefs: string | undefined;
  /** As of a client of the gate. */
  readonly pushObject?: number;
}

export type Operation = Local | Fetch | ListRefs | Serve | ForUser;

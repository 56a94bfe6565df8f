// The environments of git, each made from nothing. Nothing ambient reaches git: no proxies, no helpers, no agent, no
// configuration of a user or of the machine.
//
// The file `config` of a repository counts for git. Its writer must not make the sidecar run a program or ask a server.
// So the settings here stand above it.
import { relative } from "node:path";
import { traceParentOf } from "../../tracing/trace-parent.ts";
import { asEnvironment, NO_REPLACEMENTS, OBJECTS_AS_THEY_ARE, type Programs, type Settings } from "./command.ts";
import type { Hooks, HttpClient, Local, ObjectPlace } from "./operations.ts";
import { PUSHER_VARIABLES } from "./pusher-variables.ts";

/** Each names a program or a server that git would use by itself. */
const NOTHING_FROM_CONFIG: Settings = {
  ...NO_REPLACEMENTS,
  "core.fsmonitor": "false",
  // A program that lists refs of alternates. This one lists none.
  "core.alternateRefsCommand": "true",
  // An empty value ends the list of helpers.
  "credential.helper": "",
  "gpg.program": "false",
  "gpg.openpgp.program": "false",
  "gpg.ssh.program": "false",
  "gpg.x509.program": "false",
  "log.showSignature": "false",
  "protocol.allow": "never",
};

/**
 * The directory in which a git starts. The directory of a replica moves when its repository is renamed or removed. This
 * name then follows it. By its path, git would make the directories above a lock or a pack anew at the old place.
 */
const HERE = ".";

/** The part of the environment that all gits of the sidecar have. `protocols`: those that git may use. */
function closed({ path, home }: Programs, protocols: string): Record<string, string> {
  return {
    PATH: path,
    HOME: home,
    LC_ALL: "C",
    GIT_DIR: HERE,
    GIT_TERMINAL_PROMPT: "0",
    // An empty name counts more than core.askPass.
    GIT_ASKPASS: "",
    GIT_PAGER: "cat",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    ...OBJECTS_AS_THEY_ARE,
    // git must not fetch missing objects from a remote that the repository's settings name.
    GIT_NO_LAZY_FETCH: "1",
    // Counts more than all settings `protocol.*`.
    GIT_ALLOW_PROTOCOL: protocols,
  };
}

/**
 * The settings of all gits of the sidecar. No hooks: an operator's `reference-transaction` hook runs only for pushes
 * and write sessions. It must not refuse a landed write on a replica, and it would see packing refs as deletions.
 */
function ownSettings(hooks?: Hooks): Settings {
  const folder = hooks === undefined ? "/dev/null" : hooks !== "configured" && hooks.folder;
  return {
    ...NOTHING_FROM_CONFIG,
    // The owner was checked when the root was opened; the sidecar serves only directories below it.
    "safe.directory": "*",
    ...(folder && { "core.hooksPath": folder }),
  };
}

/** Returns the variables of another place for objects, by its path from the directory in which git starts. */
export function objectsFrom(gitDir: string, objects: ObjectPlace | undefined): Record<string, string> {
  return { ...objects, ...(objects && { GIT_OBJECT_DIRECTORY: relative(gitDir, objects.GIT_OBJECT_DIRECTORY) }) };
}

/**
 * Returns the environment of a command on a repository of this machine. The command starts in its directory. Hooks of
 * an operator get the whole path (docs/receive-pack.md): they run while the directory cannot move.
 */
export function localEnvironment(
  programs: Programs,
  gitDir: string,
  { objects, author, hooks, refFormat = "files" }: Partial<Omit<Local, "kind" | "args">>,
): Record<string, string> {
  return {
    ...(author && ofPusher(author)),
    ...closed(programs, ""),
    ...(hooks !== undefined && { GIT_DIR: gitDir }),
    ...asEnvironment(ownSettings(hooks)),
    // git 3.0 makes reftables by default. Before 2.45 git has no option for this.
    GIT_DEFAULT_REF_FORMAT: refFormat,
    ...objectsFrom(gitDir, objects),
  };
}

/**
 * Returns the environment of a command that reaches another repository. `home` is no directory: curl and ssh would find
 * a user's credentials there.
 */
export function remoteEnvironment(
  { path }: Programs,
  protocol: "file" | "https" | "http" | "ssh",
  settings: Settings = {},
): Record<string, string> {
  const all = { ...ownSettings(), ...settings };
  return { ...closed({ path, home: "/dev/null" }, protocol), ...asEnvironment(all) };
}

/** receive-pack would run the program that a repository names for the refs of alternates. */
const FOR_CLIENTS: Settings = { ...NO_REPLACEMENTS, "core.alternateRefsCommand": "true" };

/**
 * Returns the environment of the git that serves a client of the gate, and of its hooks. This git is the git server. So
 * the configuration of the system and the user counts: it is the operator's.
 */
export function clientEnvironment(
  { path, home }: Programs,
  { address, user, protocol, requestId, traceparent, socketDir }: HttpClient,
): Record<string, string> {
  return {
    PATH: path,
    HOME: home,
    LC_ALL: "C",
    // Reflogs need a name. git http-backend gives these.
    GIT_COMMITTER_NAME: user ?? "anonymous",
    GIT_COMMITTER_EMAIL: `${user ?? "anonymous"}@http.${address}`,
    REMOTE_ADDR: address,
    ...(user === undefined ? {} : { REMOTE_USER: user }),
    ...OBJECTS_AS_THEY_ARE,
    ...asEnvironment(FOR_CLIENTS),
    GIT_NO_LAZY_FETCH: "1",
    LOCKSTEP_SOCKET_DIR: socketDir,
    LOCKSTEP_REQUEST_ID: requestId,
    ...(traceParentOf(traceparent) && { LOCKSTEP_TRACEPARENT: traceparent as string }),
    ...(protocol === undefined ? {} : { GIT_PROTOCOL: protocol }),
  };
}

const CHOOSING = /^(GIT_CONFIG\w*|XDG_CONFIG_HOME|GIT_DIR|GIT_(AUTHOR|COMMITTER)_(NAME|EMAIL)|GIT_ALLOW_PROTOCOL)$/;

/** Returns the environment of a command that a person's configuration may direct. */
export function userEnvironment(
  { path, home }: Programs,
  variables: Readonly<Record<string, string>>,
): Record<string, string> {
  const chosen = Object.entries(variables).filter(([name]) => CHOOSING.test(name));
  return { PATH: path, HOME: home, GIT_TERMINAL_PROMPT: "0", ...Object.fromEntries(chosen) };
}

/**
 * Returns the environment of the git that a client starts through the shim, with the pusher's name from any of its
 * variables. Many variables that a client may send make git run programs or read other configuration. native/
 * git-environment.c does the same.
 */
export function shellEnvironment(variables: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept = Object.entries(variables).filter(
    (entry): entry is [string, string] => KEPT.test(entry[0]) && entry[1] !== undefined,
  );
  const name = NAMES.map((each) => variables[each]).find(Boolean);
  const where = (variables.REMOTE_ADDR ?? variables.SSH_CONNECTION)?.split(" ")[0];
  const pusher = name ?? (where === undefined ? undefined : `anonymous@${where}`);
  return {
    ...Object.fromEntries(kept),
    ...(pusher === undefined ? {} : { LOCKSTEP_PUSHER: pusher }),
    GIT_NO_LAZY_FETCH: "1",
  };
}

const KEPT = /^(PATH|HOME|GIT_PROTOCOL|REMOTE_ADDR|SSH_CONNECTION|LOCKSTEP_.*)$/;
/** The names in authorOf of src/hook/. */
const NAMES = ["LOCKSTEP_PUSHER", "REMOTE_USER", "GITEA_PUSHER_NAME", "GL_USER", "GL_ID", "LOGNAME", "USER"];

/** Returns those variables of an author that a hook may read. Any user of the git server may have set them. */
function ofPusher(author: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(author).filter(([name]) => PUSHER_VARIABLES.has(name)));
}

/**
 * The variables of a git server that say who pushes. The hook sends these to the sidecar, and an operator's
 * `reference-transaction` hook may read them. Any other variable could change what git or the hook does.
 */
export const PUSHER_VARIABLES: ReadonlySet<string> = new Set([
  "REMOTE_USER",
  "REMOTE_ADDR",
  "SSH_CONNECTION",
  "USER",
  "LOGNAME",
  "GL_USER",
  "GL_ID",
  "GITEA_PUSHER_NAME",
  "LOCKSTEP_PUSHER",
  "LOCKSTEP_REQUEST_ID",
  "GIT_COMMITTER_NAME",
  "GIT_COMMITTER_EMAIL",
]);

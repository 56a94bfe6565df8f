// The environment of a git that a client starts. Many variables that a client may send make git run programs or read
// other configuration.

const KEPT = /^(PATH|HOME|GIT_PROTOCOL|LOCKSTEP_.*)$/;
/** The names in authorOf of src/hook/. */
const NAMES = ["LOCKSTEP_PUSHER", "REMOTE_USER", "GITEA_PUSHER_NAME", "GL_USER", "GL_ID", "LOGNAME", "USER"];

/** Returns the safe part of `env`, with the pusher's name from any of its variables. */
export function gitEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.fromEntries(Object.entries(env).filter(([name]) => KEPT.test(name)));
  const name = NAMES.map((each) => env[each]).find(Boolean);
  const where = (env.REMOTE_ADDR ?? env.SSH_CONNECTION)?.split(" ")[0];
  const pusher = name ?? (where === undefined ? undefined : `anonymous@${where}`);
  return pusher === undefined ? kept : { ...kept, LOCKSTEP_PUSHER: pusher };
}

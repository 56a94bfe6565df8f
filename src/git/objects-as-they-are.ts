/**
 * The part of an environment that makes git take objects for what they are: nothing that lies beside them, and that a pusher or a person
 * put there, replaces one, changes its parents or ends the history. The empty names are those of files that are not there.
 */
export const OBJECTS_AS_THEY_ARE = {
  GIT_NO_REPLACE_OBJECTS: "1",
  // Before 2.41 the repository's settings prevail over that variable, and these over both.
  GIT_CONFIG_COUNT: "1",
  GIT_CONFIG_KEY_0: "core.useReplaceRefs",
  GIT_CONFIG_VALUE_0: "false",
  GIT_GRAFT_FILE: "",
  GIT_SHALLOW_FILE: "",
} as const;

/**
 * Part of the environment of git commands: git reads each object exactly as it is stored. Replacement refs, grafts and
 * shallow files, which a pusher or a person may have put there, have no effect. The empty names stand for files that do
 * not exist.
 */
export const OBJECTS_AS_THEY_ARE = {
  GIT_NO_REPLACE_OBJECTS: "1",
  // Before git 2.41 the repository's settings override GIT_NO_REPLACE_OBJECTS. These settings override both.
  GIT_CONFIG_COUNT: "1",
  GIT_CONFIG_KEY_0: "core.useReplaceRefs",
  GIT_CONFIG_VALUE_0: "false",
  GIT_GRAFT_FILE: "",
  GIT_SHALLOW_FILE: "",
} as const;

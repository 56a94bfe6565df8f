// A git that a client starts: asks the sidecar whether it may run, and with which repository.
#include "lockstep-git.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Returns `path` without symbolic links if it lies below the root, else NULL. Where no root is known, git checks the
// path (safe.directory).
static const char *below_root(const char *path) {
  static char resolved[PATH_MAX], root[PATH_MAX];
  const char *configured = setting("LOCKSTEP_ROOT", "root");
  if (*path != '/' || !realpath(path, resolved)) return NULL;
  if (!configured) return resolved;
  if (!realpath(configured, root)) return NULL;
  size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
  return strncmp(resolved, root, length) == 0 && resolved[length] == '/' && resolved[length + 1] ? resolved : NULL;
}

// Returns whether there is a limit for objects.
static int limit_push(void) {
  // A few bytes may describe an object of any size.
  const char *object = setting("LOCKSTEP_PUSH_OBJECT", "push-object");
  int limited = !object || atol(object) != 0;
  char mebibytes[32];
  snprintf(mebibytes, sizeof mebibytes, "%ldm", object ? atol(object) : 1024);
  if (limited) setenv("GIT_ALLOC_LIMIT", mebibytes, 1);
  // Our pre-receive hook reads it.
  const char *refs = setting("LOCKSTEP_PUSH_REFS", "push-refs");
  if (refs) setenv("LOCKSTEP_PUSH_REFS", refs, 1);
  limit_memory(setting("LOCKSTEP_PUSH_MEMORY", "push-memory"));
  return limited;
}

// Makes git ask the sidecar for the packs of readers, if the sidecar has installed the program for that. git gives a
// value with other characters to a shell.
static void share_packs(void) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+-";
  char path[PATH_MAX];
  const char *root = setting("LOCKSTEP_ROOT", "root");
  int length = root ? snprintf(path, sizeof path, "%s/.lockstep/bin/lockstep-pack-objects", root) : -1;
  if (length < 0 || (size_t)length >= sizeof path || path[strspn(path, plain)] || access(path, X_OK) < 0) return;
  setenv("GIT_CONFIG_COUNT", "1", 1);
  setenv("GIT_CONFIG_KEY_0", "uploadpack.packObjectsHook", 1);
  setenv("GIT_CONFIG_VALUE_0", path, 1);
}

int become_git(const char *command, const char *directory) {
  struct purpose purpose = strcmp(command, "upload-pack") == 0 ? READ : PUSH;
  struct conversation conversation = {
      .sidecar = connect_to_sidecar("hook.sock", purpose, 0), .input = -1, .client = STDOUT_FILENO, .partner = -1};
  begin_hello(command, directory);
  end_hello();
  int code = converse(&conversation);
  if (code > 0) free(conversation.path);
  if (code > 0) return code;
  if (code == LOST || !conversation.path || !*conversation.path)
    fail(FAILED, "the sidecar ended the connection without an answer, %s; %s.", purpose.refused, purpose.again);
  const char *repository = below_root(conversation.path);
  if (!repository)
    fail(FAILED, "the sidecar named a repository that is not below its root, %s; tell the operator of this server.",
         purpose.refused);
  clean_environment();
  int limited = strcmp(command, "receive-pack") == 0 && limit_push();
  if (strcmp(command, "receive-pack") == 0) relay_output();
  if (strcmp(command, "upload-pack") == 0) share_packs();
  // git would ask a server that the repository's settings name for objects that are missing here.
  setenv("GIT_NO_LAZY_FETCH", "1", 1);
  // Otherwise the limit would not count for blobs of 512 MiB and more, which git does not hold in memory.
  if (limited) execlp("git", "git", "-c", "core.bigFileThreshold=1048576g", command, "--", repository, (char *)NULL);
  else execlp("git", "git", command, "--", repository, (char *)NULL);
  fail(FAILED, "git cannot be started (%s), %s; install git on this server.", strerror(errno), purpose.refused);
}

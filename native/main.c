// One program that acts by its name, or by its first argument when it is called lockstep-git.
#include "lockstep-git.h"
#include <signal.h>
#include <string.h>

static void ignore(int unused) { (void)unused; }

static int become_git_with(const char *command, char **arguments) {
  if (!arguments[0] || arguments[1]) fail(USAGE, "usage: lockstep-%s DIR", command);
  return become_git(command, arguments[0]);
}

int main(int count, char **arguments) {
  if (count < 1) return USAGE;
  // A handler, unlike SIG_IGN, ends at exec. So git and the hooks start with default signals.
  signal(SIGPIPE, ignore);
  signal(SIGCHLD, SIG_DFL);
  const char *name = basename_of(*arguments++);
  if (strcmp(name, "lockstep-git") == 0 && *arguments) name = *arguments++;
  if (strcmp(name, "proc-receive") == 0) return proc_receive();
  if (strcmp(name, "pre-receive") == 0) return pre_receive(arguments);
  if (strcmp(name, "lockstep-pack-objects") == 0) return pack_objects(arguments);
  if (strcmp(name, "lockstep-upload-pack") == 0) return become_git_with("upload-pack", arguments);
  if (strcmp(name, "lockstep-receive-pack") == 0) return become_git_with("receive-pack", arguments);
  if (strcmp(name, "lockstep-shell") == 0) return ssh_command(arguments);
  if (strcmp(name, "authorized-keys") == 0) return authorized_keys(arguments);
  if (strcmp(name, "flock") == 0) return lock(*arguments);
  if (strcmp(name, "limited") == 0) return become_limited(arguments);
  fail(USAGE, "usage: lockstep-git proc-receive | pre-receive [HOOK …] | lockstep-pack-objects COMMAND … | lockstep-upload-pack DIR | "
              "lockstep-receive-pack DIR | lockstep-shell [-c COMMAND] | lockstep-shell --device NAME --key FINGERPRINT | "
              "authorized-keys SOCKET_DIR TYPE KEY | flock DESCRIPTOR | limited MIB PROGRAM [ARGUMENT …]");
}

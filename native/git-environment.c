// The environment of a git that a client starts. Many variables that a client may send make git run programs or read
// other configuration.
#include "lockstep-git.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

// The names are those in authorOf of src/hook/, which would find the pusher in the whole environment.
static void name_pusher(void) {
  static const char *const names[] = {"LOCKSTEP_PUSHER", "REMOTE_USER", "GITEA_PUSHER_NAME", "GL_USER", "GL_ID",
                                      "LOGNAME",         "USER"};
  const char *address = getenv("REMOTE_ADDR"), *connection = getenv("SSH_CONNECTION");
  char anonymous[100];
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *value = getenv(names[i]);
    if (!value || !*value) continue;
    setenv("LOCKSTEP_PUSHER", value, 1);
    return;
  }
  if (!address && !connection) return;
  snprintf(anonymous, sizeof anonymous, "anonymous@%.*s", (int)strcspn(address ? address : connection, " "),
           address ? address : connection);
  setenv("LOCKSTEP_PUSHER", anonymous, 1);
}

void clean_environment(void) {
  static const char *const kept[] = {"PATH=", "HOME=", "GIT_PROTOCOL=", "REMOTE_ADDR=", "SSH_CONNECTION=", "LOCKSTEP_"};
  name_pusher();
  char **to = environ;
  for (char **from = environ; *from; from++)
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
      if (strncmp(*from, kept[i], strlen(kept[i])) == 0) {
        *to++ = *from;
        break;
      }
  *to = NULL;
}

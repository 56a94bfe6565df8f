// Reads the request of an ssh client: git upload-pack or git receive-pack with one directory, and nothing else.
#include "lockstep-git.h"
#include <stdlib.h>
#include <string.h>

// Takes away the quotes. Returns 0 if this is not one argument in git's quotes. Those are '…', with '\'' and '\!' for
// the two characters that git puts outside.
static int unquote(char *argument) {
  const char *from = argument;
  char *to = argument;
  if (*from++ != '\'') return 0;
  for (;;) {
    while (*from && *from != '\'') *to++ = *from++;
    if (*from++ == '\0') return 0;
    if (*from == '\0') break;
    if (from[0] != '\\' || (from[1] != '\'' && from[1] != '!') || from[2] != '\'') return 0;
    *to++ = from[1];
    from += 3;
  }
  *to = '\0';
  return *argument != '\0';
}

int ssh_command(char **arguments) {
  // Only the administrator's line of authorized_keys can say this. A login shell gets a user's words behind -c.
  if (arguments[0] && strcmp(arguments[0], "--device") == 0) return serve_device(arguments);
  static const char *const commands[] = {"upload-pack", "receive-pack"};
  // A login shell gets `-c`. Where the administrator forces a command too, the argument of `-c` is the request to
  // check.
  const char *request = arguments[0] && strcmp(arguments[0], "-c") == 0 ? arguments[1] : getenv("SSH_ORIGINAL_COMMAND");
  if (!request) fail(FAILED, "this account serves git and has no shell; use it as the address of a git remote.");
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
    size_t length = strlen(commands[i]);
    if (strncmp(request, "git-", 4) != 0 && strncmp(request, "git ", 4) != 0) continue;
    if (strncmp(request + 4, commands[i], length) != 0 || request[4 + length] != ' ') continue;
    char *directory = strdup(request + 4 + length + 1);
    int code = directory && unquote(directory) ? become_git(commands[i], directory) : -1;
    free(directory);
    if (code >= 0) return code;
  }
  fail(FAILED, "this account serves git clone, git fetch and git push only, and refuses: %.200s", request);
}

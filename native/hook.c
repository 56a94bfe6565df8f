// Runs the hooks that the sidecar asks for with `U`, in the environment that git gave this process.
#include "lockstep-git.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int run_hook(void) {
  char *payload = (char *)incoming.bytes + HEADER;
  size_t length = payload_length(), strings = 0;
  int killed;
  if (length == 0 || payload[length - 1] != '\0') return 0;
  for (size_t i = 0; i < length; i++) strings += payload[i] == '\0';
  char **arguments = calloc(strings + 1, sizeof *arguments);
  if (!arguments) return 0;
  for (size_t i = 0; i < strings; i++, payload += strlen(payload) + 1) arguments[i] = payload;
  pid_t hook = fork();
  if (hook == 0) {
    dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    execvp(arguments[0], arguments);
    say("the hook %s cannot be run: %s.", basename_of(arguments[0]), strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
  }
  free(arguments);
  int code = hook < 0 ? 126 : wait_for(hook, &killed);
  set_frame('R', (size_t)snprintf((char *)outgoing.bytes + HEADER, 16, "%d", code));
  return 1;
}

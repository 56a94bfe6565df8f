// Names and ends of processes.
#include "lockstep-git.h"
#include <errno.h>
#include <string.h>
#include <sys/wait.h>

const char *basename_of(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path + (*path == '-');
}

int wait_for(pid_t child, int *killed) {
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return FAILED;
  *killed = WIFSIGNALED(status);
  return *killed ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

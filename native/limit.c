// Limits the memory of a git that takes what a client sends. The limit holds for each process by itself, and passes on
// to those that git starts. Files that git maps, such as packs, do not count.
#include "lockstep-git.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

void limit_memory(const char *mebibytes) {
  unsigned long long wanted = mebibytes ? strtoull(mebibytes, NULL, 10) : 0;
  struct rlimit now;
  if (wanted == 0 || getrlimit(RLIMIT_DATA, &now) < 0) return;
  rlim_t bytes = (rlim_t)wanted << 20;
  if (now.rlim_max != RLIM_INFINITY && now.rlim_max < bytes) return;
  struct rlimit limit = {.rlim_cur = bytes, .rlim_max = bytes};
  setrlimit(RLIMIT_DATA, &limit);
}

int become_limited(char **arguments) {
  if (!arguments[0] || !arguments[1]) fail(USAGE, "usage: lockstep-git limited MIB PROGRAM [ARGUMENT …]");
  limit_memory(arguments[0]);
  execvp(arguments[1], arguments + 1);
  fail(FAILED, "%s cannot be started (%s).", basename_of(arguments[1]), strerror(errno));
}

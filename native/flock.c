// Locks a file for Node, which has no flock(2).
#include "lockstep-git.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

int lock(const char *descriptor) {
  char *end = NULL;
  long number = descriptor ? strtol(descriptor, &end, 10) : -1;
  if (number < 0 || number > INT_MAX || end == descriptor || *end) fail(USAGE, "usage: lockstep-git flock DESCRIPTOR");
  while (flock((int)number, LOCK_EX | LOCK_NB) < 0) {
    if (errno == EWOULDBLOCK) return 1;
    if (errno != EINTR) fail(2, "the descriptor %ld cannot be locked: %s.", number, strerror(errno));
  }
  return 0;
}

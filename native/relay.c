// Stands between receive-pack and its client. If the client goes away, a broken pipe would kill receive-pack, which
// would leave its quarantine and .keep. So this process passes the output of receive-pack on, and reads it to the end
// even when the client is gone.
#define _GNU_SOURCE // pipe2
#include "lockstep-git.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Copies `output` to standard output until its end. When the client is gone, it closes `alive`, and the hook notices
// that.
static void copy_until_end(int output, int alive) {
  static char bytes[INPUT_CHUNK];
  for (ssize_t left = 0, got = 0;;) {
    struct pollfd polled[] = {
        {.fd = alive < 0 ? -1 : STDOUT_FILENO, .events = left ? POLLOUT : 0},
        {.fd = left ? -1 : output, .events = POLLIN},
    };
    if (poll(polled, 2, -1) < 0 && errno != EINTR) return;
    if (left && polled[0].revents & POLLOUT) {
      ssize_t written = write(STDOUT_FILENO, bytes + got - left, (size_t)left);
      if (written > 0)
        left -= written;
      else if (written < 0 && errno != EINTR && errno != EAGAIN)
        polled[0].revents |= POLLERR;
    }
    if (polled[0].revents & (POLLERR | POLLHUP | POLLNVAL)) {
      if (alive >= 0) close(alive);
      alive = -1;
    }
    if (alive < 0) left = 0;
    if (left == 0 && polled[1].revents) {
      got = left = read(output, bytes, sizeof bytes);
      if (got == 0 || (got < 0 && errno != EINTR)) return;
      if (got < 0 || alive < 0) left = 0;
    }
  }
}

void relay_output(void) {
  int output[2], alive[2], killed;
  char place[64];
  if (pipe2(output, O_CLOEXEC) < 0 || pipe2(alive, O_CLOEXEC) < 0)
    fail(FAILED, "no pipe could be made (%s), %s; %s.", strerror(errno), PUSH.refused, PUSH.again);
  snprintf(place, sizeof place, "/proc/%ld/fd/%d", (long)getpid(), alive[1]);
  setenv("LOCKSTEP_CLIENT", place, 1);
  pid_t git = fork();
  if (git < 0) fail(FAILED, "no process could be started (%s), %s; %s.", strerror(errno), PUSH.refused, PUSH.again);
  if (git == 0) {
    dup2(output[1], STDOUT_FILENO);
    return;
  }
  close(output[1]);
  close(STDIN_FILENO); // otherwise a client would go on sending after git has ended
  copy_until_end(output[0], alive[0]);
  _exit(wait_for(git, &killed));
}

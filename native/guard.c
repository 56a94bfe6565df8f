// The second process of proc-receive: each of the two kills receive-pack when the other one is killed.
#include "lockstep-git.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static pid_t guarded; // receive-pack

// Only receive-pack holds the other end of standard input. It closes that end when it has read the report.
int report_is_awaited(void) {
  struct pollfd other_end = {.fd = STDIN_FILENO, .events = POLLIN};
  while (poll(&other_end, 1, 0) < 0)
    if (errno != EINTR) return 0;
  return !(other_end.revents & POLLHUP);
}

// While receive-pack waits for the report it lives, so no other process has its pid. This is a signal handler, so it
// calls only functions that are safe in one.
void hang_up(int unused) {
  (void)unused;
  if (report_is_awaited()) kill(guarded, SIGKILL);
  _exit(FAILED);
}

// The parent only watches the child. It keeps standard output open, so that git sees no end there when the child is
// killed. It also reaps the child where no init would.
int split_in_two(pid_t receive_pack, int sidecar) {
  static const int deadly[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
  int alive[2], killed = 1;
  guarded = receive_pack;
  for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) signal(deadly[i], hang_up);
  if (pipe(alive) < 0) fail(FAILED, "no pipe could be made (%s), %s; %s.", strerror(errno), PUSH.refused, PUSH.again);
  fcntl(alive[0], F_SETFD, FD_CLOEXEC);
  fcntl(alive[1], F_SETFD, FD_CLOEXEC);
  pid_t worker = fork();
  if (worker < 0)
    fail(FAILED, "no process could be started (%s), %s; %s.", strerror(errno), PUSH.refused, PUSH.again);
  if (worker == 0) {
    close(alive[1]);
    return alive[0];
  }
  close(alive[0]);
  close(sidecar);
  int code = wait_for(worker, &killed);
  if (!killed) _exit(code);
  hang_up(0);
}

// The second process of proc-receive: each of the two kills receive-pack when the other one is killed.
#include "lockstep-git.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static pid_t guarded; // receive-pack

// receive-pack alone holds the other end of standard input, and closes it when it has read the report.
int report_is_awaited(void) {
  struct pollfd other_end = {.fd = STDIN_FILENO, .events = POLLIN};
  while (poll(&other_end, 1, 0) < 0)
    if (errno != EINTR) return 0;
  return !(other_end.revents & POLLHUP);
}

// While the report is awaited receive-pack lives, so its pid is nobody else's. A signal handler calls only functions
// that are safe in one.
void hang_up(int unused) {
  (void)unused;
  if (report_is_awaited()) kill(guarded, SIGKILL);
  _exit(FAILED);
}

// The parent does nothing but watch the child. It keeps standard output open, so that git sees no end there when the
// child is killed, and it reaps the child where there is no init that would.
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

// The hook: copies between receive-pack and the sidecar. If the outcome is unknown, it kills receive-pack, whose report
// of a refusal might be false.
#define _GNU_SOURCE
#include "lockstep-git.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

// Opens a pipe that has no reader once the client is gone, or returns -1. receive-pack itself does not notice while it
// waits for this hook. If relay.c stands between receive-pack and the client, the pipe is that of relay.c. Otherwise it
// is the pipe through which receive-pack answers.
static int pipe_to_client(pid_t receive_pack) {
  char path[64], between[32];
  struct stat status;
  const char *named = getenv("LOCKSTEP_CLIENT");
  int length = snprintf(between, sizeof between, "/proc/%ld/", (long)birth_of(receive_pack).parent);
  // The variable may be inherited: a hook of one push can make another push.
  if (named && strncmp(named, between, (size_t)length) == 0)
    snprintf(path, sizeof path, "%s", named);
  else
    snprintf(path, sizeof path, "/proc/%ld/fd/1", (long)receive_pack);
  if (stat(path, &status) < 0 || !S_ISFIFO(status.st_mode)) return -1;
  return open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

// A thread of receive-pack passes messages on to the client. If receive-pack is killed, bytes still in the pipe are
// lost.
static void let_git_take_messages(void) {
  int unread, tries = 0;
  do poll(NULL, 0, 10);
  while (ioctl(STDERR_FILENO, FIONREAD, &unread) == 0 && unread > 0 && ++tries < 100);
}

int proc_receive(void) {
  pid_t receive_pack = getppid();
  // Started by hand, it would kill the shell.
  if (!is_pipe(STDIN_FILENO) || !is_pipe(STDOUT_FILENO))
    fail(USAGE, "proc-receive is a hook that only git receive-pack can start; push to the repository instead.");
  if (!report_is_awaited()) return FAILED; // receive-pack may have ended, and its pid may belong to another process
  // The variable PWD comes from the client.
  char *directory = getcwd(NULL, 0);
  if (!directory)
    fail(FAILED, "the repository cannot be found (%s), %s; %s.", strerror(errno), PUSH.refused, PUSH.again);
  struct conversation conversation = {.is_hook = 1, .sidecar = connect_to_sidecar("hook.sock", PUSH, 1), .input = STDIN_FILENO};
  conversation.partner = split_in_two(receive_pack, conversation.sidecar);
  conversation.client = pipe_to_client(receive_pack);
  begin_hello("proc-receive", directory);
  free(directory);
  add("push", push_key(receive_pack));
  add_settings_stamp();
  end_hello();
  int code = converse(&conversation);
  if (code != LOST) return code;
  if (report_is_awaited() && !conversation.client_gone) {
    say("the connection to the sidecar broke, so it is not known whether this push has landed; fetch to see, and push "
        "again if it has not.");
    let_git_take_messages();
  }
  hang_up(0);
}

// What sshd starts for other devices: the program that an administrator's line of authorized_keys forces, and the one
// that gives sshd these lines. The sidecar decides about the request; afterwards its bytes are copied.
#include "lockstep-git.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// Copies until `from` ends or `to` takes no more.
static void copy(int from, int to) {
  static char bytes[INPUT_CHUNK];
  for (;;) {
    ssize_t got = read(from, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    for (ssize_t done = 0; done < got;) {
      ssize_t written = write(to, bytes + done, (size_t)(got - done));
      if (written < 0 && errno != EINTR) return;
      if (written > 0) done += written;
    }
  }
}

// Copies between the client and the sidecar until the sidecar has ended.
static int copy_both_ways(int sidecar) {
  pid_t reader = fork();
  if (reader < 0) fail(FAILED, "no process could be started (%s), %s; %s.", strerror(errno), READ.refused, READ.again);
  if (reader == 0) {
    copy(STDIN_FILENO, sidecar);
    shutdown(sidecar, SHUT_WR);
    _exit(0);
  }
  copy(sidecar, STDOUT_FILENO);
  kill(reader, SIGKILL);
  return 0;
}

// Sends the hello that was begun. Returns the exit code.
static int ask(int sidecar) {
  struct conversation conversation = {.sidecar = sidecar, .input = -1, .client = STDOUT_FILENO, .partner = -1};
  end_hello();
  int code = converse(&conversation);
  free(conversation.path); // another device gets none
  if (code == LOST)
    fail(FAILED, "the sidecar ended the connection without an answer, %s; %s.", READ.refused, READ.again);
  return code > 0 ? code : copy_both_ways(sidecar);
}

int serve_device(char **arguments) {
  const char *request = getenv("SSH_ORIGINAL_COMMAND");
  if (strcmp(arguments[0], "--device") != 0 || !arguments[1] || !arguments[2] || strcmp(arguments[2], "--key") != 0 ||
      !arguments[3] || arguments[4])
    fail(USAGE, "usage: lockstep-shell --device NAME --key FINGERPRINT");
  int sidecar = connect_to_sidecar("peer.sock", READ, 0);
  begin_hello("device", "");
  add("device", arguments[1]);
  add("key", arguments[3]);
  add("request", request ? request : "");
  return ask(sidecar);
}

int authorized_keys(char **arguments) {
  if (!arguments[0] || !arguments[1] || !arguments[2] || arguments[3])
    fail(USAGE, "usage: lockstep-git authorized-keys SOCKET_DIR TYPE KEY");
  setenv("LOCKSTEP_SOCKET_DIR", arguments[0], 1);
  int sidecar = connect_to_sidecar("peer.sock", READ, 0);
  begin_hello("authorized-keys", "");
  add("type", arguments[1]);
  add("key", arguments[2]);
  return ask(sidecar);
}

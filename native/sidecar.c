// The connection to the sidecar, and its first frame, the hello.
#define _GNU_SOURCE // struct ucred
#include "lockstep-git.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

// Returns the socket directory that the configuration of the current directory names, or NULL. Only a hook may use it:
// a person who can write the configuration of a repository that receive-pack serves could install hooks there anyway.
static const char *configured_directory(void) {
  static char directory[PATH_MAX];
  size_t length = 0;
  ssize_t got;
  int ends[2], killed;
  if (pipe(ends) < 0) return NULL;
  pid_t git = fork();
  if (git == 0) {
    int null = open("/dev/null", O_RDWR);
    dup2(null, STDIN_FILENO);
    dup2(null, STDERR_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    execlp("git", "git", "--git-dir", ".", "config", "--get", "lockstep.socketDir", (char *)NULL);
    _exit(127);
  }
  close(ends[1]);
  do {
    got = read(ends[0], directory + length, sizeof directory - 1 - length);
    if (got > 0) length += (size_t)got;
  } while (got > 0 || (got < 0 && errno == EINTR));
  close(ends[0]);
  if (git < 0 || wait_for(git, &killed) != 0) return NULL;
  directory[strcspn(directory, "\n")] = '\0';
  return *directory ? directory : NULL;
}

// Returns true when root, this user or the owner of the repositories runs the process at the other end of `sidecar`.
static int peer_is_ours(int sidecar, int is_hook) {
  struct ucred peer;
  struct stat repositories;
  socklen_t size = sizeof peer;
  const char *root = setting("LOCKSTEP_ROOT", "root");
  if (!root && is_hook) root = ".";
  if (getsockopt(sidecar, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return 0;
  if (peer.uid == 0 || peer.uid == geteuid()) return 1;
  return root && stat(root, &repositories) == 0 && peer.uid == repositories.st_uid;
}

static int connect_at(struct sockaddr_un address) {
  int sidecar = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (sidecar >= 0 && connect(sidecar, (struct sockaddr *)&address, sizeof address) == 0) return sidecar;
  int why = errno;
  if (sidecar >= 0) close(sidecar);
  errno = why;
  return -1;
}

int try_sidecar(const char *socket_name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char *directory = setting("LOCKSTEP_SOCKET_DIR", "socket-dir");
  int length = snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", directory ? directory : "/run/lockstep",
                        socket_name);
  int sidecar = (size_t)length < sizeof address.sun_path ? connect_at(address) : -1;
  if (sidecar < 0 || peer_is_ours(sidecar, 1)) return sidecar;
  close(sidecar);
  return -1;
}

// Its sentences name no path, since strangers read them.
int connect_to_sidecar(const char *socket_name, struct purpose purpose, int is_hook) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char *directory = setting("LOCKSTEP_SOCKET_DIR", "socket-dir");
  if (!directory && is_hook) directory = configured_directory();
  if (!directory) directory = "/run/lockstep";
  if (*directory != '/')
    fail(FAILED, "the socket directory of this server is no absolute path, %s; tell its operator.",
         purpose.refused);
  int length = snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", directory, socket_name);
  if ((size_t)length >= sizeof address.sun_path)
    fail(FAILED,
         "the path of the socket has %d bytes and a unix socket takes %zu, %s; choose a shorter socket directory, for "
         "`lockstep serve` too.",
         length, sizeof address.sun_path - 1, purpose.refused);
  int sidecar = connect_at(address);
  if (sidecar < 0)
    fail(FAILED, "the sidecar of this server does not answer (%s), %s; start `lockstep serve` on this server and %s.",
         strerror(errno), purpose.refused, purpose.again);
  if (!peer_is_ours(sidecar, is_hook))
    fail(FAILED,
         "the socket of the sidecar belongs to another user than the repositories, %s; run `lockstep serve` as the "
         "user of the git server.",
         purpose.refused);
  return sidecar;
}

void add(const char *name, const char *value) {
  char *end = (char *)outgoing.bytes + HEADER + outgoing.length;
  size_t room = MAX_PAYLOAD - outgoing.length;
  int length = snprintf(end, room, "%s=%s", name, value);
  if ((size_t)length >= room) fail(FAILED, "%s has more than %d bytes; shorten it.", name, MAX_PAYLOAD);
  outgoing.length += (size_t)length + 1;
}

void begin_hello(const char *operation, const char *directory) {
  static const char *const variables[] = {
      "REMOTE_USER", "REMOTE_ADDR", "SSH_CONNECTION",    "USER",            "LOGNAME",
      "GL_USER",     "GL_ID",       "GITEA_PUSHER_NAME", "LOCKSTEP_PUSHER", "LOCKSTEP_REQUEST_ID",
      "GIT_NAMESPACE", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "GIT_PROTOCOL", "LOCKSTEP_PUSH_REFS",
      "LOCKSTEP_TRACEPARENT",
  };
  add("version", "1");
  add("op", operation);
  add("dir", directory);
  for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
    char name[32] = "env.";
    const char *value = getenv(variables[i]);
    if (value) add(strcat(name, variables[i]), value);
  }
}

void end_hello(void) { set_frame('H', outgoing.length); }

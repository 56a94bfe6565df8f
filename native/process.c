// Names and ends of processes.
#include "lockstep-git.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

struct birth birth_of(pid_t process) {
  char text[1024];
  long parent = 0;
  struct birth birth = {0, 0};
  snprintf(text, sizeof text, "/proc/%ld/stat", (long)process);
  int file = open(text, O_RDONLY | O_CLOEXEC);
  ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
  if (file >= 0) close(file);
  text[length > 0 ? length : 0] = '\0';
  const char *name_end = strrchr(text, ')');
  if (!name_end) return birth;
  sscanf(name_end, ") %*c %ld %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &parent,
         &birth.ticks);
  birth.parent = (pid_t)parent;
  return birth;
}

const char *push_key(pid_t receive_pack) {
  static char key[64];
  snprintf(key, sizeof key, "%ld-%llu", (long)receive_pack, birth_of(receive_pack).ticks);
  return key;
}

int is_pipe(int descriptor) {
  struct stat status;
  return fstat(descriptor, &status) == 0 && S_ISFIFO(status.st_mode);
}

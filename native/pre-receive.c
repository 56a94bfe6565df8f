// The hook that sees the whole push. git hides an alias from proc-receive when its target is in the same push, but
// waits for its result. So this hook writes a note of the push for the sidecar. Then it becomes an operator's hook, if
// one is named, with the same input. If the note cannot be written, the push goes on, unless that hook needs it as
// input.
#include "lockstep-git.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// Copies standard input to its end. Returns 0 when reading or writing fails; errno has the reason.
static int copy_input(int note) {
  static char bytes[INPUT_CHUNK];
  for (;;) {
    ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
    if (got == 0) return 1;
    if (got < 0 && errno != EINTR) return 0;
    for (ssize_t done = 0; done < got;) {
      ssize_t written = write(note, bytes + done, (size_t)(got - done));
      if (written < 0 && errno != EINTR) return 0;
      if (written > 0) done += written;
    }
  }
}

int pre_receive(char **hook) {
  char path[128];
  if (!is_pipe(STDIN_FILENO))
    fail(USAGE, "pre-receive is a hook that only git receive-pack can start; push to the repository instead.");
  snprintf(path, sizeof path, "objects/tmp_pushed-%s", push_key(getppid()));
  int note = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (note < 0 || !copy_input(note)) {
    int why = errno;
    unlink(path);
    if (*hook) fail(FAILED, "the push note cannot be written (%s), %s; %s.", strerror(why), PUSH.refused, PUSH.again);
    return 0;
  }
  if (!*hook) return 0;
  lseek(note, 0, SEEK_SET);
  dup2(note, STDIN_FILENO);
  execvp(*hook, hook);
  fail(FAILED, "the hook %s cannot be run (%s), %s.", basename_of(*hook), strerror(errno), PUSH.refused);
}

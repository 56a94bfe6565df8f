// The hook that sees the whole push. git hides an alias from proc-receive when its target is in the same push, but
// waits for its result. So this hook writes a note of the push for the sidecar. Then it becomes an operator's hook, if
// one is named, with the same input. If the note cannot be written, the push goes on, unless that hook needs it as
// input.
#include "lockstep-git.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WHOLE, BROKEN, TOO_MANY };

// Copies standard input to its end, or up to a chunk with more than `limit` lines; 0: any number. BROKEN: reading or
// writing fails, and errno has the reason.
static int copy_input(int note, long limit) {
  static char bytes[INPUT_CHUNK];
  long lines = 0;
  for (;;) {
    ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
    if (got == 0) return WHOLE;
    if (got < 0 && errno != EINTR) return BROKEN;
    for (ssize_t i = 0; i < got; i++) lines += bytes[i] == '\n';
    if (limit > 0 && lines > limit) return TOO_MANY;
    for (ssize_t done = 0; done < got;) {
      ssize_t written = write(note, bytes + done, (size_t)(got - done));
      if (written < 0 && errno != EINTR) return BROKEN;
      if (written > 0) done += written;
    }
  }
}

int pre_receive(char **hook) {
  char path[128];
  if (!is_pipe(STDIN_FILENO))
    fail(USAGE, "pre-receive is a hook that only git receive-pack can start; push to the repository instead.");
  snprintf(path, sizeof path, "objects/tmp_pushed-%s", push_key(getppid()));
  // Set for the git of a client. The account of the git server itself may change any number of refs.
  const char *limit = getenv("LOCKSTEP_PUSH_REFS");
  int note = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  int outcome = note < 0 ? BROKEN : copy_input(note, limit ? atol(limit) : 0);
  if (outcome != WHOLE) {
    int why = errno;
    unlink(path);
    if (outcome == TOO_MANY)
      fail(FAILED, "this push changes more than %s refs, so it was refused and nothing has changed; push in parts.",
           limit);
    if (*hook) fail(FAILED, "the push note cannot be written (%s), %s; %s.", strerror(why), PUSH.refused, PUSH.again);
    return 0;
  }
  if (!*hook) return 0;
  lseek(note, 0, SEEK_SET);
  dup2(note, STDIN_FILENO);
  execvp(*hook, hook);
  fail(FAILED, "the hook %s cannot be run (%s), %s.", basename_of(*hook), strerror(errno), PUSH.refused);
}

// The hook uploadpack.packObjectsHook of a git that serves a client. git starts it in place of pack-objects, with that
// command as its arguments. It asks the sidecar for a file with the pack, which other clients may have asked for
// too, and copies the file while it grows. Without such a file it becomes that command.
#define _GNU_SOURCE // memfd_create
#include "lockstep-git.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ALONE = -1, CHUNK = 1 << 16 };
// The sidecar says at once where the pack is, and then every few seconds that it lives. Without inotify, a file that
// grows is looked at every LOOK_MS.
enum { PATIENCE_MS = 2000, SILENCE_MS = 20000, LOOK_MS = 20 };

// A file that grows, and where its bytes go.
struct copied {
  int from, to;
  int any; // a byte has been copied
};

static int write_all(int to, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t written = write(to, bytes, length);
    if (written < 0 && errno != EINTR) return 0;
    if (written > 0) bytes += written, length -= (size_t)written;
  }
  return 1;
}

// Copies the next bytes. Returns 1 if there were some, 0 at the end of the file, -1 when nobody takes them any more.
static int copy_some(struct copied *file) {
  static char bytes[CHUNK];
  ssize_t got = read(file->from, bytes, sizeof bytes);
  if (got < 0) return errno == EINTR ? 1 : -1;
  if (got == 0) return 0;
  file->any = 1;
  return write_all(file->to, bytes, (size_t)got) ? 1 : -1;
}

// Keeps standard input in memory, where the command can read it again. Returns ALONE if that is not possible.
static int keep_input(void) {
  static char bytes[CHUNK];
  int kept = memfd_create("objects", MFD_CLOEXEC);
  for (;;) {
    ssize_t got = kept < 0 ? -1 : read(STDIN_FILENO, bytes, sizeof bytes);
    if (got == 0) return kept;
    if (got < 0 && kept >= 0 && errno == EINTR) continue;
    if (got < 0 && kept < 0) return ALONE;
    if (got < 0 || !write_all(kept, bytes, (size_t)got))
      fail(FAILED, "the list of objects cannot be read (%s); try again.", strerror(errno));
  }
}

static int send_all(int sidecar) {
  while (is_sending()) {
    struct pollfd polled = {.fd = sidecar, .events = POLLOUT};
    if (poll(&polled, 1, PATIENCE_MS) == 0) return 0;
    send_some(sidecar);
  }
  return 1;
}

// Tells the sidecar the command and its input.
static int ask(int sidecar, char **command, int input) {
  char directory[PATH_MAX], name[24];
  if (!getcwd(directory, sizeof directory)) return 0;
  begin_hello("pack-objects", directory);
  for (int i = 0; command[i]; i++) {
    snprintf(name, sizeof name, "arg.%d", i);
    add(name, command[i]);
  }
  end_hello();
  lseek(input, 0, SEEK_SET);
  for (;;) {
    if (!send_all(sidecar)) return 0;
    ssize_t got = read(input, outgoing.bytes + HEADER, INPUT_CHUNK);
    if (got < 0) return 0;
    set_frame('I', (size_t)got);
    if (got == 0) return send_all(sidecar);
  }
}

// Waits for the next frame. Returns its type, or 0 when none will come.
static char next_frame(int sidecar, int patience_ms) {
  while (!has_frame()) {
    struct pollfd polled = {.fd = sidecar, .events = POLLIN};
    int ready = poll(&polled, 1, patience_ms);
    if (ready == 0 || (ready < 0 && errno != EINTR)) return 0;
    if (ready > 0 && !receive_some(sidecar)) return 0;
  }
  return (char)incoming.bytes[0];
}

// Opens the two files at the path in `P`: the pack, and the words of the command that makes it. Sets `changes` to a
// descriptor that tells when they grow, or to -1. Returns 0 if they cannot be opened.
static int open_files(struct copied *pack, struct copied *words, int *changes) {
  char paths[2][PATH_MAX];
  int length = snprintf(paths[0], PATH_MAX, "%.*s", (int)payload_length(), (char *)incoming.bytes + HEADER);
  int longer = snprintf(paths[1], PATH_MAX, "%s.words", paths[0]);
  drop_frame();
  if (length < 0 || longer < length || longer >= PATH_MAX) return 0;
  pack->from = open(paths[0], O_RDONLY | O_CLOEXEC);
  words->from = open(paths[1], O_RDONLY | O_CLOEXEC);
  *changes = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  for (int i = 0; i < 2 && *changes >= 0; i++) {
    if (inotify_add_watch(*changes, paths[i], IN_MODIFY) >= 0) continue;
    close(*changes);
    *changes = -1;
  }
  return pack->from >= 0 && words->from >= 0;
}

// Returns the exit code in `X`.
static int code_of_command(void) {
  char text[8];
  snprintf(text, sizeof text, "%.*s", (int)(payload_length() < 4 ? payload_length() : 4), (char *)incoming.bytes + HEADER);
  int code = atoi(text);
  drop_frame();
  return code < 0 || code > 255 ? FAILED : code;
}

// Copies the files of the pack until the sidecar says that the command which makes them has ended. Returns the exit
// code of that command, or ALONE if this process has to make the pack itself.
static int copy_pack(int sidecar) {
  struct copied pack = {.from = -1, .to = STDOUT_FILENO}, words = {.from = -1, .to = STDERR_FILENO};
  char ignored[4096];
  int changes;
  if (next_frame(sidecar, PATIENCE_MS) != 'P') return ALONE;
  if (!open_files(&pack, &words, &changes)) return ALONE;
  for (int ended = 0, code = 0, silent_ms = 0;;) {
    int said = copy_some(&words), copied = copy_some(&pack);
    // git closes standard error only with everything else.
    if (copied < 0 || said < 0) return FAILED;
    if (copied || said) silent_ms = 0;
    if (copied || said) continue;
    if (ended) return code;
    if (silent_ms >= SILENCE_MS) return pack.any ? FAILED : ALONE;
    struct pollfd polled[] = {
        {.fd = sidecar, .events = POLLIN}, {.fd = changes, .events = POLLIN}, {.fd = STDOUT_FILENO, .events = 0}};
    int wait_ms = changes < 0 ? LOOK_MS : SILENCE_MS, ready = poll(polled, 3, wait_ms);
    if (ready < 0 && errno != EINTR) return FAILED;
    if (ready == 0) silent_ms += wait_ms;
    if (ready <= 0) continue;
    if (polled[2].revents & (POLLERR | POLLHUP)) return FAILED;
    if (polled[1].revents)
      while (read(changes, ignored, sizeof ignored) > 0) continue;
    if (!polled[0].revents) continue;
    silent_ms = 0;
    switch (next_frame(sidecar, PATIENCE_MS)) {
    case 'K':
      drop_frame();
      continue;
    case 'X':
      ended = 1;
      code = code_of_command();
      continue;
    default:
      return pack.any ? FAILED : ALONE;
    }
  }
}

int pack_objects(char **command) {
  if (!command[0] || !command[1] || !is_pipe(STDIN_FILENO))
    fail(USAGE, "lockstep-pack-objects is a hook that only git upload-pack can start (uploadpack.packObjectsHook).");
  int input = keep_input();
  int sidecar = input < 0 ? -1 : try_sidecar("hook.sock");
  int code = sidecar >= 0 && ask(sidecar, command, input) ? copy_pack(sidecar) : ALONE;
  if (code != ALONE) return code;
  if (input >= 0) {
    lseek(input, 0, SEEK_SET);
    dup2(input, STDIN_FILENO);
  }
  execvp(command[0], command);
  fail(FAILED, "git cannot be started (%s); install git on this server.", strerror(errno));
}

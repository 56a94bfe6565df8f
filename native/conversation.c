// The frames of one connection, from the hello to `X`. Only a hook writes for git (`O`) and runs programs (`U`). Only a
// process that becomes git gets a path (`P`), and only once.
#include "lockstep-git.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { UNFINISHED = -2 };
enum { SIDECAR, INPUT, CLIENT, OUTPUT, PARTNER };

// Tells the sidecar that nobody waits for an answer any more.
static void end_sending(struct conversation *conversation) {
  conversation->input = conversation->client = -1;
  conversation->sending_ended = 1;
  set_frame('I', 0);
}

static void read_input(struct conversation *conversation) {
  ssize_t got = read(conversation->input, outgoing.bytes + HEADER, INPUT_CHUNK);
  if (got > 0)
    set_frame('I', (size_t)got);
  else if (got == 0 || (errno != EINTR && errno != EAGAIN))
    end_sending(conversation);
}

// Returns the descriptor to which the payload of the received frame goes, or -1.
static int output(void) {
  if (!has_frame()) return -1;
  return incoming.bytes[0] == 'O' ? STDOUT_FILENO : incoming.bytes[0] == 'E' ? STDERR_FILENO : -1;
}

// A pipe that is ready takes PIPE_BUF bytes at once. No write is larger, so none blocks. The end of the client, the
// sidecar or the partner is noticed even while git does not read.
static void write_some(void) {
  size_t left = payload_length() - incoming.done;
  ssize_t written = write(output(), incoming.bytes + HEADER + incoming.done, left < PIPE_BUF ? left : PIPE_BUF);
  if (written >= 0)
    incoming.done += (size_t)written;
  else if (errno != EINTR && errno != EAGAIN)
    incoming.done = payload_length();
  if (incoming.done == payload_length()) drop_frame();
}

// Returns the decimal number in `X`, or LOST.
static int exit_code(void) {
  size_t length = payload_length();
  int code = 0;
  if (length == 0 || length > 3) return LOST;
  for (size_t i = 0; i < length; i++) {
    int digit = incoming.bytes[HEADER + i] - '0';
    if (digit < 0 || digit > 9) return LOST;
    code = 10 * code + digit;
  }
  return code <= 255 ? code : LOST;
}

// Handles the received frame, unless it is output. Returns the outcome, or UNFINISHED.
static int take_frame(struct conversation *conversation) {
  if (!has_frame()) return UNFINISHED;
  switch (incoming.bytes[0]) {
  case 'O':
    return conversation->is_hook ? UNFINISHED : LOST;
  case 'E':
    // receive-pack's thread that empties the pipe has ended, so a full pipe would stay full.
    if (conversation->client_gone) drop_frame();
    return UNFINISHED;
  case 'U':
    if (!conversation->is_hook) return LOST;
    if (is_sending()) return UNFINISHED;
    if (!conversation->sending_ended && !run_hook()) return LOST;
    drop_frame();
    return UNFINISHED;
  case 'P':
    if (conversation->is_hook || conversation->path) return LOST;
    conversation->path = strndup((char *)incoming.bytes + HEADER, payload_length());
    drop_frame();
    return UNFINISHED;
  case 'X':
    return exit_code();
  default:
    return LOST;
  }
}

int converse(struct conversation *conversation) {
  for (;;) {
    int outcome = take_frame(conversation);
    if (outcome != UNFINISHED) return outcome;
    // poll reports a hang-up even unasked, again and again. So descriptors that cannot be handled now are left out.
    short events = (short)((is_sending() ? POLLOUT : 0) | (has_frame() ? 0 : POLLIN));
    struct pollfd polled[] = {
        [SIDECAR] = {.fd = events ? conversation->sidecar : -1, .events = events},
        [INPUT] = {.fd = is_sending() ? -1 : conversation->input, .events = POLLIN},
        [CLIENT] = {.fd = is_sending() ? -1 : conversation->client, .events = 0},
        [OUTPUT] = {.fd = output(), .events = POLLOUT},
        [PARTNER] = {.fd = conversation->partner, .events = POLLIN},
    };
    if (poll(polled, sizeof polled / sizeof *polled, -1) < 0) {
      if (errno == EINTR) continue;
      return LOST;
    }
    if (polled[PARTNER].revents) hang_up(0);
    if (polled[OUTPUT].revents) write_some();
    if (polled[CLIENT].revents & (POLLERR | POLLHUP)) {
      if (!conversation->is_hook) exit(FAILED);
      conversation->client_gone = 1;
      end_sending(conversation);
    } else if (polled[INPUT].revents) {
      read_input(conversation);
    }
    if (is_sending()) {
      send_some(conversation->sidecar);
      if (conversation->sending_ended && !is_sending()) shutdown(conversation->sidecar, SHUT_WR);
    }
    if (polled[SIDECAR].revents && !has_frame() && !receive_some(conversation->sidecar)) return LOST;
  }
}

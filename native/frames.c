// One frame in each direction: one byte of type, four of length, the payload.
#include "lockstep-git.h"
#include <errno.h>
#include <sys/socket.h>

struct frame incoming, outgoing;

void set_frame(char type, size_t payload_length) {
  outgoing.bytes[0] = (unsigned char)type;
  for (int i = 0; i < 4; i++) outgoing.bytes[1 + i] = (unsigned char)(payload_length >> (24 - 8 * i));
  outgoing.length = HEADER + payload_length;
  outgoing.done = 0;
}

int is_sending(void) { return outgoing.done < outgoing.length; }

void send_some(int sidecar) {
  ssize_t sent = send(sidecar, outgoing.bytes + outgoing.done, outgoing.length - outgoing.done, MSG_DONTWAIT);
  if (sent >= 0)
    outgoing.done += (size_t)sent;
  else if (errno != EINTR && errno != EAGAIN)
    outgoing.done = outgoing.length; // the sidecar has closed; its last frames are still read
}

int receive_some(int sidecar) {
  size_t wanted = incoming.length < HEADER ? HEADER : HEADER + payload_length();
  ssize_t got = recv(sidecar, incoming.bytes + incoming.length, wanted - incoming.length, MSG_DONTWAIT);
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  incoming.length += (size_t)got;
  return got > 0 && (incoming.length < HEADER || payload_length() <= MAX_PAYLOAD);
}

int has_frame(void) { return incoming.length >= HEADER && incoming.length == HEADER + payload_length(); }

size_t payload_length(void) {
  const unsigned char *size = incoming.bytes + 1;
  return (size_t)size[0] << 24 | (size_t)size[1] << 16 | (size_t)size[2] << 8 | size[3];
}

void drop_frame(void) { incoming.length = incoming.done = 0; }

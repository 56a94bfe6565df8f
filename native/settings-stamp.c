// A stamp that changes whenever git's configuration in this repository may have changed.
#include "lockstep-git.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static uint64_t hash(uint64_t state, const void *bytes, size_t length) {
  const unsigned char *each = bytes;
  for (size_t i = 0; i < length; i++) state = (state ^ each[i]) * 0x100000001b3u; // FNV-1a
  return state;
}

static uint64_t hash_file(uint64_t state, const char *path) {
  struct stat found;
  if (stat(path, &found) < 0) return hash(state, "-", 1);
  const uint64_t seen[] = {found.st_dev,         found.st_ino,          found.st_size,        found.st_mtim.tv_sec,
                           found.st_mtim.tv_nsec, found.st_ctim.tv_sec, found.st_ctim.tv_nsec, found.st_mode};
  return hash(state, seen, sizeof seen);
}

// Adds the stamp to the hello. It covers the variables that name or hold configuration, and the files that the sidecar
// has listed. Adds nothing when the sidecar has listed none, or more than fit.
void add_settings_stamp(void) {
  static const char *const variables[] = {"GIT_CONFIG", "HOME=", "XDG_CONFIG_HOME="};
  static char paths[1 << 15];
  const uint64_t seed = 0xcbf29ce484222325u;
  int file = open("lockstep.watched", O_RDONLY | O_CLOEXEC);
  ssize_t length = file < 0 ? -1 : read(file, paths, sizeof paths);
  if (file >= 0) close(file);
  if (length <= 0 || (size_t)length == sizeof paths || paths[length - 1] != '\0') return;
  uint64_t stamp = hash(seed, paths, (size_t)length);
  for (const char *path = paths; path < paths + length; path += strlen(path) + 1) stamp = hash_file(stamp, path);
  // Added up, so that the order of the variables does not matter.
  for (char **each = environ; *each; each++)
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
      if (strncmp(*each, variables[i], strlen(variables[i])) == 0) stamp += hash(seed, *each, strlen(*each));
  char value[20];
  snprintf(value, sizeof value, "%016llx", (unsigned long long)stamp);
  add("settings", value);
}

// The operator's settings: variables of the environment, else the file that the sidecar writes beside this program in
// its root (lines of `name=value`).
#include "lockstep-git.h"
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Returns the value of `name` in the file beside this program, or NULL.
static const char *installed_setting(const char *name) {
  static char text[3 * PATH_MAX];
  static ssize_t length = -1;
  if (length < 0) {
    char path[PATH_MAX + 32];
    ssize_t directory = readlink("/proc/self/exe", path, PATH_MAX);
    while (directory > 0 && path[directory - 1] != '/') directory--;
    strcpy(path + (directory > 0 ? directory : 0), "lockstep-git.settings");
    int file = directory > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    length = file < 0 ? 0 : read(file, text, sizeof text - 1);
    if (length < 0) length = 0;
    if (file >= 0) close(file);
    for (ssize_t i = 0; i < length; i++)
      if (text[i] == '\n') text[i] = '\0';
  }
  size_t wanted = strlen(name);
  for (const char *line = text; line < text + length; line += strlen(line) + 1)
    if (strncmp(line, name, wanted) == 0 && line[wanted] == '=' && line[wanted + 1]) return line + wanted + 1;
  return NULL;
}

const char *setting(const char *variable, const char *name) {
  const char *value = getenv(variable);
  return value && *value ? value : installed_setting(name);
}

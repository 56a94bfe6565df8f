// Writes sentences for a person: one line on standard error.
#include "lockstep-git.h"
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct purpose PUSH = {"so this push was refused and nothing has changed", "push again"};
const struct purpose READ = {"so nothing was read", "try again"};

static void write_sentence(const char *format, va_list arguments) {
  char text[2 * PATH_MAX] = "lockstep: ";
  size_t start = strlen(text);
  vsnprintf(text + start, sizeof text - start - 1, format, arguments);
  strcat(text, "\n");
  // One write, so that git shows one line. If nobody reads it, nobody else can be told.
  if (write(STDERR_FILENO, text, strlen(text)) < 0) return;
}

void say(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  write_sentence(format, arguments);
  va_end(arguments);
}

void fail(int code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  write_sentence(format, arguments);
  va_end(arguments);
  exit(code);
}

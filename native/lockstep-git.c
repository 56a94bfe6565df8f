// What git and sshd start where Lockstep has to be asked: it says where it is, then copies bytes between git and the
// sidecar (docs/hook-protocol.md). It runs once per push and per read, so it is C without libraries and without logic.
//
// The one thing it must never do is to let git tell a client something false. git takes a hook that merely ends for a
// refusal, although the sidecar may have landed the push: so where the outcome is unknown, receive-pack is killed and
// the client sees a hang-up. For that proc-receive is two processes, and each kills receive-pack when the other dies.
//
// Over ssh a stranger starts it, who may use git and nothing else. So nothing that he says decides whom it obeys: the
// directory that he names is only passed on, the sidecar is found where the operator put it, and each frame is taken
// only where it has its place.
#define _GNU_SOURCE // struct ucred
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HEADER = 5, MAX_PAYLOAD = 1 << 20, INPUT_CHUNK = 1 << 16 };
enum { FAILED = 1, USAGE = 2 };
enum { LOST = -1, UNFINISHED = -2 };
enum { SIDECAR, INPUT, CLIENT, OUTPUT, PARTNER };

// What a person reads when the sidecar cannot be asked: what that means, and what to do once it can.
struct purpose {
  const char *refused, *again;
};
static const struct purpose PUSH = {"so this push was refused and nothing has changed", "push again"};
static const struct purpose READ = {"so nothing was read", "try again"};

// One frame each way. `length`: the bytes that are there; `done`: those of them (incoming: of its payload) dealt with.
struct frame {
  unsigned char bytes[HEADER + MAX_PAYLOAD];
  size_t length, done;
};
static struct frame incoming, outgoing;

static int sidecar = -1; // the connection
static int input = -1;   // what `I` carries; -1: nothing, or no more
static int client = -1;  // what the client reads from; -1: not known, or no more
static int partner = -1; // has an end when the other one of the two processes is gone
static int client_gone, sending_ended;
static pid_t receive_pack; // 0 unless this is proc-receive
static char *exec_path;
extern char **environ;

static void write_sentence(const char *format, va_list arguments) {
  char text[2 * PATH_MAX] = "lockstep: ";
  size_t start = strlen(text);
  vsnprintf(text + start, sizeof text - start - 1, format, arguments);
  strcat(text, "\n");
  // One write, so that git shows one line. Where nobody reads it there is nobody else to tell.
  if (write(STDERR_FILENO, text, strlen(text)) < 0) return;
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  write_sentence(format, arguments);
  va_end(arguments);
}

__attribute__((format(printf, 2, 3), noreturn)) static void fail(int code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  write_sentence(format, arguments);
  va_end(arguments);
  exit(code);
}

static const char *basename_of(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path + (*path == '-'); // sshd marks a login shell with "-"
}

// The status of `child` when it has ended, as a shell would give it.
static int wait_for(pid_t child, int *killed) {
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return FAILED;
  *killed = WIFSIGNALED(status);
  return *killed ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// receive-pack alone holds the other end of standard input, and closes it when it has read the report.
static int report_is_awaited(void) {
  struct pollfd other_end = {.fd = STDIN_FILENO, .events = POLLIN};
  while (poll(&other_end, 1, 0) < 0)
    if (errno != EINTR) return 0;
  return !(other_end.revents & POLLHUP);
}

// Ends receive-pack before it can report, then this process. While the report is awaited receive-pack lives, so its pid
// is nobody else's. It is a signal handler too, and calls only what one may.
static void hang_up(int unused) {
  (void)unused;
  if (report_is_awaited()) kill(receive_pack, SIGKILL);
  _exit(FAILED);
}

// A thread of receive-pack passes messages on to the client; what still lies in the pipe would die with it.
static void let_git_take_messages(void) {
  int unread, tries = 0;
  do poll(NULL, 0, 10);
  while (ioctl(STDERR_FILENO, FIONREAD, &unread) == 0 && unread > 0 && ++tries < 100);
}

// Returns in a child. The parent, for which git waits, does nothing but watch the child. It keeps standard output open,
// so that git sees no end there when the child is killed, and it reaps the child where there is no init that would.
static void split_in_two(void) {
  int alive[2], killed = 1;
  if (pipe(alive) < 0) fail(FAILED, "no pipe could be made (%s), %s; %s.", strerror(errno), PUSH.refused, PUSH.again);
  fcntl(alive[0], F_SETFD, FD_CLOEXEC);
  fcntl(alive[1], F_SETFD, FD_CLOEXEC);
  pid_t worker = fork();
  if (worker < 0)
    fail(FAILED, "no process could be started (%s), %s; %s.", strerror(errno), PUSH.refused, PUSH.again);
  if (worker == 0) {
    close(alive[1]);
    partner = alive[0];
    return;
  }
  close(alive[0]);
  close(sidecar);
  int code = wait_for(worker, &killed);
  if (!killed) _exit(code);
  hang_up(0);
}

// What `name` is in the file that the sidecar writes beside this program in its root (lines of `name=value`), or NULL.
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

// What the environment says, else the file beside this program; or NULL.
static const char *setting(const char *variable, const char *name) {
  const char *value = getenv(variable);
  return value && *value ? value : installed_setting(name);
}

// The socket directory that the configuration of the current directory names, or NULL. Only for proc-receive: whoever
// can write the configuration of a repository that receive-pack serves can put hooks of his own there anyway.
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

// Whether what listens at the other end of `sidecar` was started by root, by this user, or by the owner of the
// repositories.
static int peer_is_ours(void) {
  struct ucred peer;
  struct stat repositories;
  socklen_t size = sizeof peer;
  const char *root = setting("LOCKSTEP_ROOT", "root");
  if (!root && receive_pack) root = ".";
  if (getsockopt(sidecar, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return 0;
  if (peer.uid == 0 || peer.uid == geteuid()) return 1;
  return root && stat(root, &repositories) == 0 && peer.uid == repositories.st_uid;
}

// Connects to the sidecar, or ends with a sentence. Strangers read it: it names no path.
static void connect_to_sidecar(struct purpose purpose) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char *directory = setting("LOCKSTEP_SOCKET_DIR", "socket-dir");
  if (!directory && receive_pack) directory = configured_directory();
  if (!directory) directory = "/run/lockstep";
  if (*directory != '/')
    fail(FAILED, "the socket directory of this server is no absolute path, %s; tell its operator.",
         purpose.refused);
  int length = snprintf(address.sun_path, sizeof address.sun_path, "%s/hook.sock", directory);
  if ((size_t)length >= sizeof address.sun_path)
    fail(FAILED,
         "the path of the socket has %d bytes and a unix socket takes %zu, %s; choose a shorter socket directory, for "
         "`lockstep serve` too.",
         length, sizeof address.sun_path - 1, purpose.refused);
  sidecar = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (sidecar < 0 || connect(sidecar, (struct sockaddr *)&address, sizeof address) < 0)
    fail(FAILED, "the sidecar of this server does not answer (%s), %s; start `lockstep serve` on this server and %s.",
         strerror(errno), purpose.refused, purpose.again);
  if (!peer_is_ours())
    fail(FAILED,
         "the socket of the sidecar belongs to another user than the repositories, %s; run `lockstep serve` as the "
         "user of the git server.",
         purpose.refused);
}

static int is_sending(void) { return outgoing.done < outgoing.length; }

static void set_frame(char type, size_t payload_length) {
  outgoing.bytes[0] = (unsigned char)type;
  for (int i = 0; i < 4; i++) outgoing.bytes[1 + i] = (unsigned char)(payload_length >> (24 - 8 * i));
  outgoing.length = HEADER + payload_length;
  outgoing.done = 0;
}

static void send_some(void) {
  ssize_t sent = send(sidecar, outgoing.bytes + outgoing.done, outgoing.length - outgoing.done, MSG_DONTWAIT);
  if (sent >= 0)
    outgoing.done += (size_t)sent;
  else if (errno != EINTR && errno != EAGAIN)
    outgoing.done = outgoing.length; // what the sidecar sent before it closed is still to be read
  if (sending_ended && !is_sending()) shutdown(sidecar, SHUT_WR);
}

// Tells the sidecar that nobody waits for an answer any more.
static void end_sending(void) {
  input = client = -1;
  sending_ended = 1;
  set_frame('I', 0);
}

static void read_input(void) {
  ssize_t got = read(input, outgoing.bytes + HEADER, INPUT_CHUNK);
  if (got > 0)
    set_frame('I', (size_t)got);
  else if (got == 0 || (errno != EINTR && errno != EAGAIN))
    end_sending();
}

static size_t payload_length(void) {
  const unsigned char *size = incoming.bytes + 1;
  return (size_t)size[0] << 24 | (size_t)size[1] << 16 | (size_t)size[2] << 8 | size[3];
}

static int has_frame(void) { return incoming.length >= HEADER && incoming.length == HEADER + payload_length(); }

static void drop_frame(void) { incoming.length = incoming.done = 0; }

// Reads on to the end of the current frame. False: nothing more will come, or the frame is too long.
static int receive_some(void) {
  size_t wanted = incoming.length < HEADER ? HEADER : HEADER + payload_length();
  ssize_t got = recv(sidecar, incoming.bytes + incoming.length, wanted - incoming.length, MSG_DONTWAIT);
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  incoming.length += (size_t)got;
  return got > 0 && (incoming.length < HEADER || payload_length() <= MAX_PAYLOAD);
}

// The descriptor that the frame which came in is for, or -1.
static int output(void) {
  if (!has_frame()) return -1;
  return incoming.bytes[0] == 'O' ? STDOUT_FILENO : incoming.bytes[0] == 'E' ? STDERR_FILENO : -1;
}

// A pipe that is ready takes PIPE_BUF bytes at once: with no more than that, nothing ever blocks here, and the end of
// client, sidecar and partner is noticed while git does not read.
static void write_some(void) {
  size_t left = payload_length() - incoming.done;
  ssize_t written = write(output(), incoming.bytes + HEADER + incoming.done, left < PIPE_BUF ? left : PIPE_BUF);
  if (written >= 0)
    incoming.done += (size_t)written;
  else if (errno != EINTR && errno != EAGAIN)
    incoming.done = payload_length();
  if (incoming.done == payload_length()) drop_frame();
}

// Runs what `U` names in the environment that git gave this hook, and puts the answer into `outgoing`. False: the
// payload is no list of strings.
static int run_hook(void) {
  char *payload = (char *)incoming.bytes + HEADER;
  size_t length = payload_length(), strings = 0;
  int killed;
  if (length == 0 || payload[length - 1] != '\0') return 0;
  for (size_t i = 0; i < length; i++) strings += payload[i] == '\0';
  char **arguments = calloc(strings + 1, sizeof *arguments);
  if (!arguments) return 0;
  for (size_t i = 0; i < strings; i++, payload += strlen(payload) + 1) arguments[i] = payload;
  pid_t hook = fork();
  if (hook == 0) {
    dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    execvp(arguments[0], arguments);
    say("the hook %s cannot be run: %s.", basename_of(arguments[0]), strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
  }
  free(arguments);
  int code = hook < 0 ? 126 : wait_for(hook, &killed);
  set_frame('R', (size_t)snprintf((char *)outgoing.bytes + HEADER, 16, "%d", code));
  return 1;
}

// The decimal number that `X` carries, or LOST.
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

// Deals with the frame that came in, unless it is output. Returns the outcome, or UNFINISHED. Only a hook speaks for git
// (`O`) and runs programs (`U`); only what becomes git is told where (`P`), and once.
static int take_frame(void) {
  if (!has_frame()) return UNFINISHED;
  switch (incoming.bytes[0]) {
  case 'O':
    return receive_pack ? UNFINISHED : LOST;
  case 'E':
    // The thread of receive-pack that empties the pipe has ended, so that a full pipe would stay full.
    if (client_gone) drop_frame();
    return UNFINISHED;
  case 'U':
    if (!receive_pack) return LOST;
    if (is_sending()) return UNFINISHED;
    if (!sending_ended && !run_hook()) return LOST;
    drop_frame();
    return UNFINISHED;
  case 'P':
    if (receive_pack || exec_path) return LOST;
    exec_path = strndup((char *)incoming.bytes + HEADER, payload_length());
    drop_frame();
    return UNFINISHED;
  case 'X':
    return exit_code();
  default:
    return LOST;
  }
}

// Copies both ways until the sidecar says `X` (returns its code) or is gone (returns LOST).
static int converse(void) {
  for (;;) {
    int outcome = take_frame();
    if (outcome != UNFINISHED) return outcome;
    // Only what can be dealt with is asked for: poll reports a hang-up unasked, again and again.
    short events = (short)((is_sending() ? POLLOUT : 0) | (has_frame() ? 0 : POLLIN));
    struct pollfd polled[] = {
        [SIDECAR] = {.fd = events ? sidecar : -1, .events = events},
        [INPUT] = {.fd = is_sending() ? -1 : input, .events = POLLIN},
        [CLIENT] = {.fd = is_sending() ? -1 : client, .events = 0},
        [OUTPUT] = {.fd = output(), .events = POLLOUT},
        [PARTNER] = {.fd = partner, .events = POLLIN},
    };
    if (poll(polled, sizeof polled / sizeof *polled, -1) < 0) {
      if (errno == EINTR) continue;
      return LOST;
    }
    if (polled[PARTNER].revents) hang_up(0);
    if (polled[OUTPUT].revents) write_some();
    if (polled[CLIENT].revents & (POLLERR | POLLHUP)) {
      if (!receive_pack) exit(FAILED);
      client_gone = 1;
      end_sending();
    } else if (polled[INPUT].revents) {
      read_input();
    }
    if (is_sending()) send_some();
    if (polled[SIDECAR].revents && !has_frame() && !receive_some()) return LOST;
  }
}

// Adds `name=value` to the payload of the hello.
static void add(const char *name, const char *value) {
  char *end = (char *)outgoing.bytes + HEADER + outgoing.length;
  size_t room = MAX_PAYLOAD - outgoing.length;
  int length = snprintf(end, room, "%s=%s", name, value);
  if ((size_t)length >= room) fail(FAILED, "%s has more than %d bytes; shorten it.", name, MAX_PAYLOAD);
  outgoing.length += (size_t)length + 1;
}

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

// Adds what changes whenever git may read other configuration here: of the variables that name or hold some, and of the
// files that the sidecar has listed. Nothing where it has listed none, or more than fit.
static void add_settings(void) {
  static const char *const variables[] = {"GIT_CONFIG", "HOME=", "XDG_CONFIG_HOME="};
  static char paths[1 << 15];
  const uint64_t seed = 0xcbf29ce484222325u;
  int file = open("lockstep.watched", O_RDONLY | O_CLOEXEC);
  ssize_t length = file < 0 ? -1 : read(file, paths, sizeof paths);
  if (file >= 0) close(file);
  if (length <= 0 || (size_t)length == sizeof paths || paths[length - 1] != '\0') return;
  uint64_t stamp = hash(seed, paths, (size_t)length);
  for (const char *path = paths; path < paths + length; path += strlen(path) + 1) stamp = hash_file(stamp, path);
  // Added up, so that their order does not matter.
  for (char **each = environ; *each; each++)
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
      if (strncmp(*each, variables[i], strlen(variables[i])) == 0) stamp += hash(seed, *each, strlen(*each));
  char value[20];
  snprintf(value, sizeof value, "%016llx", (unsigned long long)stamp);
  add("settings", value);
}

static void say_hello(const char *operation, const char *directory) {
  static const char *const variables[] = {
      "REMOTE_USER", "REMOTE_ADDR", "SSH_CONNECTION",    "USER",            "LOGNAME",
      "GL_USER",     "GL_ID",       "GITEA_PUSHER_NAME", "LOCKSTEP_PUSHER", "LOCKSTEP_REQUEST_ID",
      "GIT_NAMESPACE",
  };
  add("version", "1");
  add("op", operation);
  add("dir", directory);
  for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
    char name[32] = "env.";
    const char *value = getenv(variables[i]);
    if (value) add(strcat(name, variables[i]), value);
  }
  if (receive_pack) add_settings();
  set_frame('H', outgoing.length);
}

// The parent of a process, or 0.
static pid_t parent_of(pid_t process) {
  char text[512];
  long parent = 0;
  snprintf(text, sizeof text, "/proc/%ld/stat", (long)process);
  int file = open(text, O_RDONLY | O_CLOEXEC);
  ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
  if (file >= 0) close(file);
  text[length > 0 ? length : 0] = '\0';
  const char *name_end = strrchr(text, ')');
  return name_end && sscanf(name_end, ") %*c %ld", &parent) == 1 ? (pid_t)parent : 0;
}

// A pipe that nobody reads any more once the client is gone, which poll tells whoever could write: while it waits for us,
// receive-pack does not notice. It is the one of the process that stands between receive-pack and the client, else the one
// through which receive-pack answers, opened once more. -1 where there is no such way.
static int pipe_to_client(void) {
  char path[64], between[32];
  struct stat status;
  const char *named = getenv("LOCKSTEP_CLIENT");
  int length = snprintf(between, sizeof between, "/proc/%ld/", (long)parent_of(receive_pack));
  // A push that a hook of another push makes has inherited the variable.
  if (named && strncmp(named, between, (size_t)length) == 0)
    snprintf(path, sizeof path, "%s", named);
  else
    snprintf(path, sizeof path, "/proc/%ld/fd/1", (long)receive_pack);
  if (stat(path, &status) < 0 || !S_ISFIFO(status.st_mode)) return -1;
  return open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

static int is_pipe(int descriptor) {
  struct stat status;
  return fstat(descriptor, &status) == 0 && S_ISFIFO(status.st_mode);
}

static int proc_receive(void) {
  receive_pack = getppid();
  // Started by hand, it would kill the shell.
  if (!is_pipe(STDIN_FILENO) || !is_pipe(STDOUT_FILENO))
    fail(USAGE, "proc-receive is a hook that only git receive-pack can start; push to the repository instead.");
  if (!report_is_awaited()) return FAILED; // so its parent may be anybody by now
  // The variable PWD is the client's.
  char *directory = getcwd(NULL, 0);
  if (!directory)
    fail(FAILED, "the repository cannot be found (%s), %s; %s.", strerror(errno), PUSH.refused, PUSH.again);
  connect_to_sidecar(PUSH);
  const int deadly[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
  for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) signal(deadly[i], hang_up);
  split_in_two();
  input = STDIN_FILENO;
  client = pipe_to_client();
  say_hello("proc-receive", directory);
  int code = converse();
  if (code != LOST) return code;
  if (report_is_awaited() && !client_gone) {
    say("the connection to the sidecar broke, so it is not known whether this push has landed; fetch to see, and push "
        "again if it has not.");
    let_git_take_messages();
  }
  hang_up(0);
  return FAILED;
}

// Who pushes: what the sidecar would make of the environment that git gets, were it whole (authorOf in src/hook/).
static void name_pusher(void) {
  static const char *const names[] = {"LOCKSTEP_PUSHER", "REMOTE_USER", "GITEA_PUSHER_NAME", "GL_USER", "GL_ID",
                                      "LOGNAME",         "USER"};
  const char *address = getenv("REMOTE_ADDR"), *connection = getenv("SSH_CONNECTION");
  char anonymous[100];
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *value = getenv(names[i]);
    if (!value || !*value) continue;
    setenv("LOCKSTEP_PUSHER", value, 1);
    return;
  }
  if (!address && !connection) return;
  snprintf(anonymous, sizeof anonymous, "anonymous@%.*s", (int)strcspn(address ? address : connection, " "),
           address ? address : connection);
  setenv("LOCKSTEP_PUSHER", anonymous, 1);
}

// What git is to find of the environment: much of it makes git run programs or read other configuration.
static void clean_environment(void) {
  static const char *const kept[] = {"PATH=", "HOME=", "GIT_PROTOCOL=", "LOCKSTEP_"};
  char **to = environ;
  for (char **from = environ; *from; from++)
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
      if (strncmp(*from, kept[i], strlen(kept[i])) == 0) {
        *to++ = *from;
        break;
      }
  *to = NULL;
}

// `path` without symbolic links if it lies below the root, else NULL. Where no root is known, that is for git to judge
// (safe.directory).
static const char *below_root(const char *path) {
  static char resolved[PATH_MAX], root[PATH_MAX];
  const char *configured = setting("LOCKSTEP_ROOT", "root");
  if (*path != '/' || !realpath(path, resolved)) return NULL;
  if (!configured) return resolved;
  if (!realpath(configured, root)) return NULL;
  size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
  return strncmp(resolved, root, length) == 0 && resolved[length] == '/' && resolved[length + 1] ? resolved : NULL;
}

// receive-pack would die of a broken pipe when its client is gone, and leave its quarantine and its .keep. So this process
// reads what it says, passes it on, and reads on when nobody wants it any more. Returns in a child, which becomes git; the
// parent ends as git does.
static void stand_between(void) {
  int output[2], alive[2], killed;
  char place[64];
  if (pipe2(output, O_CLOEXEC) < 0 || pipe2(alive, O_CLOEXEC) < 0)
    fail(FAILED, "no pipe could be made (%s), %s; %s.", strerror(errno), PUSH.refused, PUSH.again);
  snprintf(place, sizeof place, "/proc/%ld/fd/%d", (long)getpid(), alive[1]);
  setenv("LOCKSTEP_CLIENT", place, 1);
  pid_t git = fork();
  if (git < 0) fail(FAILED, "no process could be started (%s), %s; %s.", strerror(errno), PUSH.refused, PUSH.again);
  if (git == 0) {
    dup2(output[1], STDOUT_FILENO);
    return;
  }
  close(output[1]);
  close(STDIN_FILENO); // or a client would go on sending to nobody when git has ended
  static char bytes[INPUT_CHUNK];
  for (ssize_t left = 0, got = 0;;) {
    struct pollfd polled[] = {
        {.fd = alive[0] < 0 ? -1 : STDOUT_FILENO, .events = left ? POLLOUT : 0},
        {.fd = left ? -1 : output[0], .events = POLLIN},
    };
    if (poll(polled, 2, -1) < 0 && errno != EINTR) break;
    if (left && polled[0].revents & POLLOUT) {
      ssize_t written = write(STDOUT_FILENO, bytes + got - left, (size_t)left);
      if (written > 0)
        left -= written;
      else if (written < 0 && errno != EINTR && errno != EAGAIN)
        polled[0].revents |= POLLERR;
    }
    if (polled[0].revents & (POLLERR | POLLHUP | POLLNVAL)) {
      if (alive[0] >= 0) close(alive[0]); // the hook sees that
      alive[0] = -1;
    }
    if (alive[0] < 0) left = 0;
    if (left == 0 && polled[1].revents) {
      got = left = read(output[0], bytes, sizeof bytes);
      if (got == 0 || (got < 0 && errno != EINTR)) break;
      if (got < 0 || alive[0] < 0) left = 0;
    }
  }
  _exit(wait_for(git, &killed));
}

// Asks the sidecar whether, and with which repository, git may run, and becomes git.
static int become_git(const char *command, const char *directory) {
  struct purpose purpose = strcmp(command, "upload-pack") == 0 ? READ : PUSH;
  connect_to_sidecar(purpose);
  client = STDOUT_FILENO;
  say_hello(command, directory);
  int code = converse();
  if (code > 0) return code;
  if (code == LOST || !exec_path || !*exec_path)
    fail(FAILED, "the sidecar ended the connection without an answer, %s; %s.", purpose.refused, purpose.again);
  const char *repository = below_root(exec_path);
  if (!repository)
    fail(FAILED, "the sidecar named a repository that is not below its root, %s; tell the operator of this server.",
         purpose.refused);
  name_pusher();
  clean_environment();
  if (strcmp(command, "receive-pack") == 0) stand_between();
  execlp("git", "git", command, repository, (char *)NULL);
  fail(FAILED, "git cannot be started (%s), %s; install git on this server.", strerror(errno), purpose.refused);
}

static int become_git_with(const char *command, char **arguments) {
  if (!arguments[0] || arguments[1]) fail(USAGE, "usage: lockstep-%s DIR", command);
  return become_git(command, arguments[0]);
}

// What `quoted` stands for if it is one argument as git quotes it ('…', with '\'' and '\!' for the two characters
// that git puts outside), else NULL.
static char *unquote(const char *quoted) {
  const char *from = quoted;
  char *argument = strdup(quoted), *to = argument;
  if (!argument || *from++ != '\'') return NULL;
  for (;;) {
    while (*from && *from != '\'') *to++ = *from++;
    if (*from++ == '\0') return NULL;
    if (*from == '\0') break;
    if (from[0] != '\\' || (from[1] != '\'' && from[1] != '!') || from[2] != '\'') return NULL;
    *to++ = from[1];
    from += 3;
  }
  *to = '\0';
  return argument;
}

// The forced command, or the login shell, of an account that serves git over ssh.
static int shell(char **arguments) {
  static const char *const commands[] = {"upload-pack", "receive-pack"};
  // A login shell gets `-c`; where the administrator forces a command too, that is the one to judge.
  const char *request = arguments[0] && strcmp(arguments[0], "-c") == 0 ? arguments[1] : getenv("SSH_ORIGINAL_COMMAND");
  if (!request) fail(FAILED, "this account serves git and has no shell; use it as the address of a git remote.");
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
    size_t length = strlen(commands[i]);
    if (strncmp(request, "git-", 4) != 0 && strncmp(request, "git ", 4) != 0) continue;
    if (strncmp(request + 4, commands[i], length) != 0 || request[4 + length] != ' ') continue;
    const char *directory = unquote(request + 4 + length + 1);
    if (directory && *directory) return become_git(commands[i], directory);
  }
  fail(FAILED, "this account serves git clone, git fetch and git push only, and refuses: %.200s", request);
}

// Takes the exclusive lock on an open file that the caller shares with this process, and so holds when it has ended.
static int lock(const char *descriptor) {
  char *end = NULL;
  long number = descriptor ? strtol(descriptor, &end, 10) : -1;
  if (number < 0 || number > INT_MAX || end == descriptor || *end) fail(USAGE, "usage: lockstep-git flock DESCRIPTOR");
  while (flock((int)number, LOCK_EX | LOCK_NB) < 0) {
    if (errno == EWOULDBLOCK) return 1;
    if (errno != EINTR) fail(2, "the descriptor %ld cannot be locked: %s.", number, strerror(errno));
  }
  return 0;
}

static void ignore(int unused) { (void)unused; }

int main(int count, char **arguments) {
  if (count < 1) return USAGE;
  // A handler, unlike SIG_IGN, does not outlast exec: git and the hooks start as they would without us.
  signal(SIGPIPE, ignore);
  signal(SIGCHLD, SIG_DFL);
  const char *name = basename_of(*arguments++);
  if (strcmp(name, "lockstep-git") == 0 && *arguments) name = *arguments++;
  if (strcmp(name, "proc-receive") == 0) return proc_receive();
  if (strcmp(name, "lockstep-upload-pack") == 0) return become_git_with("upload-pack", arguments);
  if (strcmp(name, "lockstep-receive-pack") == 0) return become_git_with("receive-pack", arguments);
  if (strcmp(name, "lockstep-shell") == 0) return shell(arguments);
  if (strcmp(name, "flock") == 0) return lock(*arguments);
  fail(USAGE, "usage: lockstep-git proc-receive | lockstep-upload-pack DIR | lockstep-receive-pack DIR | "
              "lockstep-shell [-c COMMAND] | flock DESCRIPTOR");
}

// git and sshd start lockstep-git where Lockstep has to be asked. It tells the sidecar its directory, then copies bytes
// between git and the sidecar (docs/hook-protocol.md). It runs once per push and per read, so it is C without
// libraries, and the sidecar makes every choice.
//
// It must never let git tell a client something false. When a hook ends without a report, git reports a refusal,
// although the sidecar may have landed the push. So where the outcome is unknown, the hook kills receive-pack and the
// client sees a hang-up. For that proc-receive is two processes (guard.c), and each kills receive-pack when the other
// dies.
//
// Over ssh a stranger starts it, who may use git and nothing else. The directory in his request is only passed on. The
// operator's settings name the sidecar's place, and each frame is accepted only where the protocol allows it.
//
// Each section below is one file. src/shim/ is the same program for machines without a C compiler. Files of both with
// the same subject have the same name.
#ifndef LOCKSTEP_GIT_H
#define LOCKSTEP_GIT_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { FAILED = 1, USAGE = 2 }; // exit codes

// sentence.c: sentences for a person.

// The consequence when the sidecar cannot be asked, and the remedy.
struct purpose {
  const char *refused, *again;
};
extern const struct purpose PUSH, READ;
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);
__attribute__((format(printf, 2, 3), noreturn)) void fail(int code, const char *format, ...);

// process.c: names and ends of processes.

// Returns the part of `path` behind the last slash, without the "-" with which sshd marks a login shell.
const char *basename_of(const char *path);
// Waits for `child` and returns its status as a shell gives it. Sets `killed` if a signal ended it.
int wait_for(pid_t child, int *killed);

// The parent of a process, and its start time in ticks since the machine started; 0: not known.
struct birth {
  pid_t parent;
  unsigned long long ticks;
};
struct birth birth_of(pid_t process);
// Returns an id that differs for each push and is the same in its two hooks.
const char *push_key(pid_t receive_pack);
int is_pipe(int descriptor);

// settings.c: the operator's settings.

// Returns the value of `variable` in the environment, else of `name` in the file beside this program, else NULL.
const char *setting(const char *variable, const char *name);

// settings-stamp.c: a stamp of git's configuration.

// Adds the stamp of the repository in the current directory to the hello.
void add_settings_stamp(void);

// sidecar.c: the connection and its first frame.

// Connects to that socket of the sidecar, or ends this process with a sentence. Only for a hook may the repository in
// the current directory name the sidecar's place.
int connect_to_sidecar(const char *socket_name, struct purpose purpose, int is_hook);
// Connects as well, and returns -1 where that fails.
int try_sidecar(const char *socket_name);
// Starts the hello with the operation and the directory. The caller may add more with `add`, and then sends it with
// `end_hello`.
void begin_hello(const char *operation, const char *directory);
// Adds `name=value` to the hello.
void add(const char *name, const char *value);
void end_hello(void);

// frames.c: one frame in each direction.

enum { HEADER = 5, MAX_PAYLOAD = 1 << 20 };
// `length` counts the bytes that have arrived or wait to be sent. `done` counts those that were dealt with: sent, or
// for `incoming` written from the payload.
struct frame {
  unsigned char bytes[HEADER + MAX_PAYLOAD];
  size_t length, done;
};
extern struct frame incoming, outgoing;
// Completes a frame whose payload lies in `outgoing` already.
void set_frame(char type, size_t payload_length);
int is_sending(void);
// Sends a part of `outgoing`.
void send_some(int sidecar);
// Reads up to the end of `incoming`. Returns 0 when nothing more will come, or the frame is too long.
int receive_some(int sidecar);
int has_frame(void);
// Returns the length of the payload of `incoming`, whose header has come.
size_t payload_length(void);
void drop_frame(void);

// hook.c: the hooks that the sidecar asks for.

// Runs the program in the payload of `U`, and puts the answer into `outgoing`. Returns 0 when the payload is no list of
// strings.
int run_hook(void);

// conversation.c: the frames of one connection, from the hello to `X`.

enum { LOST = -1, INPUT_CHUNK = 1 << 16 };
struct conversation {
  int is_hook;
  int sidecar; // the connection
  int input;   // the descriptor whose bytes `I` carries; -1: there is none, or no more
  int client;  // the pipe or socket that the client reads from; -1: not known, or no more
  int partner; // a pipe that ends when the other process of the guard does; -1: there is none
  int client_gone, sending_ended;
  char *path; // the payload of `P`, or NULL
};
// Copies in both directions until the sidecar says `X` (returns its code) or is gone (returns LOST).
int converse(struct conversation *conversation);

// guard.c: the second process of proc-receive.

// Returns true while the receive-pack that started this hook waits for its report.
int report_is_awaited(void);
// Becomes two processes and returns in the child. git waits for the parent, which ends as the child does. Each kills
// `receive_pack` when the other is killed. Returns a pipe that ends when the parent does.
int split_in_two(pid_t receive_pack, int sidecar);
// Kills receive-pack before it can report, then ends this process. It is a signal handler too.
__attribute__((noreturn)) void hang_up(int unused);

// proc-receive.c, pre-receive.c, pack-objects.c, git-session.c, ssh-command.c, flock.c: the programs. Each returns an
// exit code.

int proc_receive(void);
// Writes a note of the push, then becomes the hook in `hook`, if there is one.
int pre_receive(char **hook);
// Copies a pack that the sidecar has made, or becomes `command`, which makes it.
int pack_objects(char **command);
// Asks the sidecar whether git may run, and with which repository. Then becomes git.
int become_git(const char *command, const char *directory);
// The forced command, or the login shell, of an account that serves git over ssh.
int ssh_command(char **arguments);
// Takes the exclusive lock on an open file that the caller shares with this process. So the caller holds the lock after
// this process has ended.
int lock(const char *descriptor);

// limit.c: the memory of a git.

// Limits the memory of this process, and of those that it becomes or starts; NULL or 0: no limit.
void limit_memory(const char *mebibytes);
// Becomes the program behind the number, with that limit.
int become_limited(char **arguments);

// device.c: what sshd starts for other devices.

// Serves the device that the arguments `--device NAME --key FINGERPRINT` name.
int serve_device(char **arguments);
// Prints the line of authorized_keys for the key in the arguments `SOCKET_DIR TYPE KEY`, if it is that of a device.
int authorized_keys(char **arguments);

// relay.c: a process between receive-pack and its client.

// Becomes two processes and returns in the child, which becomes receive-pack. The parent ends as receive-pack does.
void relay_output(void);

// git-environment.c: the environment of a git that a client starts.

// Names the pusher in LOCKSTEP_PUSHER, and removes all variables that git must not get from a client.
void clean_environment(void);

#endif

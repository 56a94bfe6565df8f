// lockstep-git is what git and sshd start where Lockstep has to be asked. It tells the sidecar where it is, then copies
// bytes between git and the sidecar (docs/hook-protocol.md). It runs once per push and per read, so it is C without
// libraries, and the sidecar makes every choice.
//
// It must never let git tell a client something false. git reports a refusal when a hook merely ends, although the
// sidecar may have landed the push. So where the outcome is unknown, the hook kills receive-pack and the client sees a
// hang-up. For that proc-receive is two processes (guard.c), and each kills receive-pack when the other dies.
//
// Over ssh a stranger starts it, who may use git and nothing else. The directory that he names is only passed on. The
// operator's settings say where the sidecar is, and each frame is taken only where the protocol has it.
//
// Each subject below is a file. src/shim/ is the same program for machines without a C compiler; files of both with the
// same subject have the same name.
#ifndef LOCKSTEP_GIT_H
#define LOCKSTEP_GIT_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { FAILED = 1, USAGE = 2 }; // exit codes

// sentence.c: what a person reads.

// What it means that the sidecar cannot be asked, and what to do once it can.
struct purpose {
  const char *refused, *again;
};
extern const struct purpose PUSH, READ;
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);
__attribute__((format(printf, 2, 3), noreturn)) void fail(int code, const char *format, ...);

// process.c: names and ends of processes.

// The part of `path` behind the last slash, without the "-" with which sshd marks a login shell.
const char *basename_of(const char *path);
// Waits for `child` and returns its status as a shell gives it. Sets `killed` if a signal ended it.
int wait_for(pid_t child, int *killed);

// The parent of a process, and when the process was started, in ticks since the machine was; 0: not known.
struct birth {
  pid_t parent;
  unsigned long long ticks;
};
struct birth birth_of(pid_t process);
// What tells a push from all others, for the two hooks of it.
const char *push_key(pid_t receive_pack);
int is_pipe(int descriptor);

// settings.c: what the operator has set.

// The value of `variable` in the environment, else of `name` in the file beside this program, else NULL.
const char *setting(const char *variable, const char *name);

// settings-stamp.c: whether git may read other configuration than before.

// Adds the stamp of the repository in the current directory to the hello.
void add_settings_stamp(void);

// sidecar.c: the connection and its first frame.

// Connects to the sidecar, or ends this process with a sentence. Only for a hook the repository in the current
// directory may say where the sidecar is.
int connect_to_sidecar(struct purpose purpose, int is_hook);
// Starts the hello: who asks, for what. The caller may add more with `add`, and then sends it with `set_frame`.
void begin_hello(const char *operation, const char *directory);
// Adds `name=value` to the hello.
void add(const char *name, const char *value);
void end_hello(void);

// frames.c: one frame each way.

enum { HEADER = 5, MAX_PAYLOAD = 1 << 20 };
// `length` counts the bytes that are there, `done` those that are dealt with (of the payload, in `incoming`).
struct frame {
  unsigned char bytes[HEADER + MAX_PAYLOAD];
  size_t length, done;
};
extern struct frame incoming, outgoing;
// Completes the frame whose payload lies in `outgoing` already.
void set_frame(char type, size_t payload_length);
int is_sending(void);
// Sends a part of `outgoing`.
void send_some(int sidecar);
// Reads on to the end of `incoming`. False: nothing more will come, or the frame is too long.
int receive_some(int sidecar);
int has_frame(void);
// The length of the payload of `incoming`, whose header has come.
size_t payload_length(void);
void drop_frame(void);

// hook.c: the hooks that the sidecar asks for.

// Runs the program that the payload of `U` names, and puts the answer into `outgoing`. False: the payload is no list of
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
// Copies both ways until the sidecar says `X` (returns its code) or is gone (returns LOST).
int converse(struct conversation *conversation);

// guard.c: the second process of proc-receive.

// Whether the receive-pack that started this hook still waits for its report.
int report_is_awaited(void);
// Becomes two processes and returns in the child. The parent, for which git waits, ends as the child does. Either kills
// `receive_pack` when the other is killed. Returns a pipe that ends when the parent does.
int split_in_two(pid_t receive_pack, int sidecar);
// Ends receive-pack before it can report, then this process. It is a signal handler too.
__attribute__((noreturn)) void hang_up(int unused);

// proc-receive.c, pre-receive.c, git-session.c, ssh-command.c, flock.c: the programs. Each returns an exit code.

int proc_receive(void);
// Notes what was pushed, then becomes the hook that `hook` names, if it names one.
int pre_receive(char **hook);
// Asks the sidecar whether git may run, and with which repository; becomes git.
int become_git(const char *command, const char *directory);
// The forced command, or the login shell, of an account that serves git over ssh.
int ssh_command(char **arguments);
// Takes the exclusive lock on an open file that the caller shares with this process, so that the caller holds the lock
// when this process has ended.
int lock(const char *descriptor);

// relay.c: between receive-pack and its client.

// Becomes two processes and returns in the child, which becomes receive-pack. The parent ends as receive-pack does.
void relay_output(void);

// git-environment.c: the environment of a git that a client starts.

// Names the pusher in LOCKSTEP_PUSHER and removes all that git must not get from a client.
void clean_environment(void);

#endif

// Puppets: small single-threaded processes that do on a real kernel what a litmus case says.
//
// A puppet is this very program, started again with a descriptor of a control channel in its environment; a
// constructor hands it to the puppet's loop before anything else runs, so that forking is safe in it. Each puppet
// obeys its own channel (a SOCK_SEQPACKET pair) and exits when the other end is closed: nothing outlives the
// driver.
//
// All functions return 0 or a number that is not negative, or -errno.
#ifndef CSIMULATION_PUPPET_H
#define CSIMULATION_PUPPET_H

#include <stdint.h>

/// What a puppet does; the fields of a request follow its verb, each ended by a NUL.
enum csim_puppet_verb {
    /// [pid] Forks a child that obeys the passed descriptor; it gets the pid, if one is given. Value: its pid.
    CSIM_PUPPET_FORK = 1,
    /// As fork, in a new pid namespace. Value: the pid as the puppet sees it.
    CSIM_PUPPET_FORK_IN_NEW_NAMESPACE,
    /// path argument...: executes. The new program answers. Value: its pid.
    CSIM_PUPPET_EXEC,
    /// name argument...: copies this program into a memfd and executes that.
    CSIM_PUPPET_EXEC_MEMFD,
    /// code: exit_group(2). No answer.
    CSIM_PUPPET_EXIT,
    /// Ends the calling thread only. No answer.
    CSIM_PUPPET_EXIT_THREAD,
    /// signal: sends it to the own process.
    CSIM_PUPPET_RAISE,
    /// pid: waitpid(2). Value: the wait status.
    CSIM_PUPPET_REAP,
    /// Kills nobody, reaps whatever has ended and whatever still ends. Value: how many.
    CSIM_PUPPET_REAP_ALL,
    /// name: prctl(PR_SET_NAME).
    CSIM_PUPPET_COMM,
    /// Creates a thread that obeys the passed descriptor. Value: its tid.
    CSIM_PUPPET_THREAD,
    /// number
    CSIM_PUPPET_SETUID,
    /// number
    CSIM_PUPPET_SETGID,
    CSIM_PUPPET_SETSID,
    /// prctl(PR_SET_CHILD_SUBREAPER): orphans below become its children.
    CSIM_PUPPET_ADOPT,
    /// pid: PTRACE_SEIZE.
    CSIM_PUPPET_ATTACH,
    /// pid: stops the tracee and detaches from it.
    CSIM_PUPPET_DETACH,
    /// text: writes it over the argument area, clears the rest, and adds no NUL.
    CSIM_PUPPET_TITLE,
    /// prctl(PR_SET_DUMPABLE, 0).
    CSIM_PUPPET_NOT_DUMPABLE,
    /// count: forks that many children that exit at once, one after the other, each reaped.
    CSIM_PUPPET_BURST,
    /// count: as burst, two at a time from two forked children of its own.
    CSIM_PUPPET_BURST_TWICE,
    /// path: connects a Unix stream socket and keeps it, instead of the one before; waits for nothing.
    CSIM_PUPPET_CONNECT,
    /// text: sends it over that socket, and a descriptor along with it.
    CSIM_PUPPET_SEND_DESCRIPTOR,
};

/// Starts the first puppet, which also adopts orphans (`PR_SET_CHILD_SUBREAPER`).
///
/// - Returns: Its pid; `channel` is the driver's end.
int csim_puppet_launch(int32_t *channel);

/// Makes a channel: `ours` stays here, `theirs` is passed with a request.
int csim_puppet_channel(int32_t *ours, int32_t *theirs);

/// Sends a request (and, unless -1, a descriptor), then waits for the answer.
///
/// - Returns: 0 and the value, or the negative errno of the puppet's call, `-ETIMEDOUT`, or `-ECONNRESET` when the
///   puppet ended.
int csim_puppet_request(int32_t channel, const uint8_t *request, int32_t count, int32_t passed,
                        int32_t timeout_milliseconds, int32_t *value);

/// Sends a request that has no answer.
int csim_puppet_tell(int32_t channel, const uint8_t *request, int32_t count);

/// Waits until every thread of a process has ended.
int csim_process_wait_end(int32_t pidfd, int32_t timeout_milliseconds);

/// Waits until the process is a zombie, whether or not other threads of it live.
int csim_process_wait_zombie(int32_t pid, int32_t timeout_milliseconds);

/// Waits until a thread of a process is gone.
int csim_thread_wait_end(int32_t pid, int32_t tid, int32_t timeout_milliseconds);

int csim_pidfd_open(int32_t pid);
int csim_pidfd_signal(int32_t pidfd, int32_t signal);
/// Reaps a child of this process that has been told to end.
int csim_reap_child(int32_t pid, int32_t timeout_milliseconds);
int csim_close(int32_t descriptor);

/// Copies the running program to `path`, executable for everybody.
int csim_copy_program(const char *path);
/// Makes a folder that everybody may enter. `path` ends in XXXXXX, which is replaced.
int csim_make_scratch(char *path);
int csim_unlink(const char *path);
int csim_remove_folder(const char *path);

/// Makes the calling thread, and no other, look at files with these rights (0 goes back).
int csim_observe_as(uint32_t uid);
/// Gives the calling thread, and no other, a mount namespace in which `/proc` is mounted with this `hidepid`.
int csim_hide_processes(int32_t hidepid);
/// Sends `message` from another socket to every connector socket of this process.
///
/// - Returns: To how many.
int csim_forge_connector(const uint8_t *message, int32_t count);
/// Why this process cannot have puppets act on the whole host: 0 when it can.
enum csim_obstacle {
    CSIM_OBSTACLE_NONE = 0,
    CSIM_OBSTACLE_NOT_ROOT,
    /// A capability is missing that the cases take: to kill, to trace, to mount, to change users.
    CSIM_OBSTACLE_CAPABILITIES,
    /// Another pid or user namespace than the initial one, where the process connector is silent.
    CSIM_OBSTACLE_NAMESPACE,
};
enum csim_obstacle csim_real_kernel_obstacle(void);
/// The release of this kernel, such as 6.1.0-18-amd64, with a NUL.
int csim_kernel_release(char *text, int32_t capacity);
void csim_sleep_milliseconds(int32_t milliseconds);

#endif

// Workers: separately started copies of this program that fork once per seed, and the byte streams between them.
//
// No function takes a pointer: callers stay free of unsafe code. All return a number that is not negative, or -errno.
#ifndef CSIMULATION_WORKERS_H
#define CSIMULATION_WORKERS_H

#include <stdint.h>

/// A worker process and the ends of its two pipes; `pid` is -errno when it could not be started.
struct csim_worker {
    int32_t pid;
    int32_t requests;
    int32_t answers;
};

/// Starts this very program again with the single argument `worker`.
///
/// The copies differ in everything that must not matter: `index` sets the working directory, the size of the
/// environment and the byte that freed and fresh memory is filled with. The hash seeds and the layout differ by themselves.
struct csim_worker csim_worker_start(int32_t index);

/// Closes a worker's pipes, so that it ends, and reaps it.
int csim_worker_stop(struct csim_worker worker);

/// The two results of a forked run and how it ended.
struct csim_child {
    /// 0 in the child; in the parent the pid, or -errno.
    int32_t pid;
    /// What the child writes its report to, and the parent reads it from.
    int32_t report;
    /// What the child wrote to its standard error.
    int32_t messages;
};

/// Forks the calling process, which must have one thread.
///
/// The child has its standard error in `messages`, dies with its parent, and after `time_limit_seconds` of real time by
/// SIGALRM.
struct csim_child csim_child_fork(int32_t time_limit_seconds);

/// A file that children write their standard error to, for ``csim_child_fork_brief``; or -errno.
int32_t csim_messages_file(void);

/// Forks like ``csim_child_fork``, for a child whose report is a single line that it writes itself.
///
/// - Parameter messages: From ``csim_messages_file``; emptied, then the child's standard error.
/// - Returns: 0 in the child; in the parent the pid, or -errno.
int32_t csim_child_fork_brief(int32_t messages, int32_t time_limit_seconds);

/// Waits for a child; returns what ``csim_child_wait`` returns.
int csim_child_wait_brief(int32_t pid);

/// Ends the child at once, running no handlers.
void csim_child_exit(int32_t code) __attribute__((noreturn));

/// Waits for the child, then rewinds both of its files.
///
/// - Returns: 0 ... 255 for an exit code, 1000 + n for the signal n.
int csim_child_wait(struct csim_child child);

/// The next byte of a descriptor, through a buffer of its own; -1 at the end or on an error.
int csim_read_byte(int32_t descriptor);
/// Puts one byte into the descriptor's buffer and writes the buffer when it is full.
int csim_write_byte(int32_t descriptor, uint8_t byte);
/// Writes what is buffered.
int csim_flush(int32_t descriptor);
/// Forgets the buffers of a descriptor and closes it.
int csim_close_stream(int32_t descriptor);

/// Whether a byte can be read without asking the kernel.
int csim_has_byte(int32_t descriptor);

/// A descriptor to read the names in a folder from, each followed by a NUL, in the order of their bytes.
int csim_folder_names(int32_t folder);

/// The descriptors that ``csim_wait_watched`` waits for: none, then one more with each call (at most 512).
void csim_watch_none(void);
int csim_watch(int32_t descriptor);
/// Waits until one of them can be read or has ended; returns how many, or -EINTR.
int csim_wait_watched(int32_t milliseconds);
/// Whether this one can be read, or has ended, at this moment.
int csim_is_readable(int32_t descriptor);

/// From now on SIGINT and SIGTERM are only noted; another one, seconds later, ends the process with code 130.
void csim_catch_interrupts(void);
int csim_is_interrupted(void);
/// For workers: who started them decides when they end.
void csim_ignore_interrupts(void);

/// CPU time of this process, and of its children that have been waited for, with theirs.
int64_t csim_own_processor_nanoseconds(void);
int64_t csim_children_processor_nanoseconds(void);
/// CPUs that this process may use.
int32_t csim_processor_count(void);

/// Makes SIGPIPE an error of the call instead of a death.
void csim_ignore_broken_pipes(void);

/// Whether a descriptor is a terminal, and whether text on it may have colours (`NO_COLOR`, `TERM=dumb`).
int csim_is_terminal(int32_t descriptor);
int csim_has_colour(int32_t descriptor);

/// `CLOCK_MONOTONIC` of the real host in nanoseconds, for telling how long a run took.
int64_t csim_real_nanoseconds(void);

/// Switches off the checks for exclusive access to memory in this process, for the second run of a seed: the first one had
/// them. Does nothing with a runtime that has no such switch.
void csim_skip_access_checks(void);

/// How many threads this process has, from `/proc/self/stat`.
int csim_thread_count(void);

#endif

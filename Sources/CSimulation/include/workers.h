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

/// A descriptor to read the names in a folder from, each followed by a NUL, in the order of their bytes.
int csim_folder_names(int32_t folder);

/// Makes SIGPIPE an error of the call instead of a death.
void csim_ignore_broken_pipes(void);

/// Whether a descriptor is a terminal, and whether text on it may have colours (`NO_COLOR`, `TERM=dumb`).
int csim_is_terminal(int32_t descriptor);
int csim_has_colour(int32_t descriptor);

/// `CLOCK_MONOTONIC` of the real host in nanoseconds, for telling how long a run took.
int64_t csim_real_nanoseconds(void);

/// How many threads this process has, from `/proc/self/stat`.
int csim_thread_count(void);

#endif

#ifndef CLINUX_H
#define CLINUX_H

// Calls that Swift cannot spell, because Glibc is imported without _GNU_SOURCE or because they are variadic.
//
// Every function makes one call of the kernel (or of libc), decides nothing and allocates nothing. It returns the
// call's result, zero or more, or a negated errno. Interrupted calls return -EINTR: repeating them is up to the caller.

#include <stddef.h>
#include <stdint.h>

// MARK: epoll(7), eventfd(2)

int clinux_epoll_create(void);
/// Reports each write to `fd` once, even when the former one was never read (EPOLLIN | EPOLLET).
int clinux_epoll_add_edge(int epoll, int fd, uint64_t data);
/// Adds `fd` without asking for anything yet; it may report an error condition once.
int clinux_epoll_add_disarmed(int epoll, int fd, uint64_t data);
/// What clinux_epoll_arm asks for; may be joined.
enum clinux_poll_events {
    /// EPOLLIN
    CLINUX_POLL_READABLE = 1,
    /// EPOLLOUT
    CLINUX_POLL_WRITABLE = 2,
};
/// Asks for one report, now or later (EPOLLONESHOT); a broken descriptor is reported even if `events` is 0.
int clinux_epoll_arm(int epoll, int fd, uint32_t events, uint64_t data);
int clinux_epoll_remove(int epoll, int fd);
/// Waits at most `timeout_nanoseconds` (for ever if negative) and stores the data of at most `capacity` (<= 64) reports.
int clinux_epoll_wait(int epoll, int capacity, uint64_t *data, int64_t timeout_nanoseconds);
int clinux_eventfd(void);
/// Adds one to an event counter; a full counter is a success, because it is readable already.
int clinux_eventfd_signal(int fd);

// MARK: netlink(7)

/// What recvmmsg(2) tells about one datagram.
struct clinux_datagram {
    uint32_t byte_count;
    uint32_t sender_port;
    uint32_t is_truncated;
};

int clinux_netlink_open(int protocol);
int clinux_netlink_bind(int fd, uint32_t groups);
long clinux_netlink_send(int fd, size_t count, const uint8_t *bytes);
/// The most datagrams of one clinux_receive_datagrams call.
enum { CLINUX_DATAGRAM_BATCH = 64 };
/// Receives at most `capacity` (<= CLINUX_DATAGRAM_BATCH) datagrams, each into its slot of `slot_byte_count` bytes.
int clinux_receive_datagrams(
    int fd, size_t capacity, size_t slot_byte_count, uint8_t *slots, struct clinux_datagram *datagrams);
/// SO_RCVBUFFORCE when `force` is not zero, else SO_RCVBUF.
int clinux_set_receive_buffer(int fd, int byte_count, int force);
int clinux_get_receive_buffer(int fd);

// MARK: Stream sockets, unix(7)

/// Who is at the other end (SO_PEERCRED).
struct clinux_credentials {
    int32_t pid;
    uint32_t uid;
    uint32_t gid;
};

/// A datagram socket that sends to `path`, without waiting; a path that begins with `@` is an abstract name.
int clinux_notification_open(size_t count, const uint8_t *path);
/// A new socket, in non-blocking mode.
int clinux_stream_open(void);
/// `path` has `count` bytes and no NUL; -ENAMETOOLONG if that is 0 or more than 107.
int clinux_stream_bind(int fd, size_t count, const uint8_t *path);
int clinux_stream_listen(int fd, int backlog);
int clinux_stream_connect(int fd, size_t count, const uint8_t *path);
/// The first client of the queue, in non-blocking mode.
int clinux_stream_accept(int fd);
/// Takes no descriptors.
long clinux_stream_receive(int fd, size_t count, uint8_t *bytes);
/// Raises no SIGPIPE.
long clinux_stream_send(int fd, size_t count, const uint8_t *bytes);
int clinux_peer_credentials(int fd, struct clinux_credentials *credentials);
/// The number of supplementary groups; -ERANGE if there are more than `capacity`, -ENOPROTOOPT before Linux 4.13.
int clinux_peer_groups(int fd, size_t capacity, uint32_t *groups);

// MARK: Files

/// What fstatat(2) tells.
struct clinux_status {
    uint64_t device;
    uint64_t inode;
    uint64_t link_count;
    uint64_t size;
    uint32_t mode;
    uint32_t uid;
};

/// A directory only to resolve names under (O_PATH).
int clinux_open_path_directory(int directory, const char *path);
/// The directory whose name is `number` in decimal digits, only to resolve names under (O_PATH).
int clinux_open_numbered_directory(int directory, int32_t number);
/// A directory to list or to synchronise.
int clinux_open_directory(int directory, const char *path);
int clinux_open_read(int directory, const char *path);
/// Follows no symbolic link in the last component and never waits for a peer of a FIFO.
int clinux_open_read_no_follow(int directory, const char *path);
/// The variable at `index` of the environment, `NAME=VALUE`; NULL behind the last one.
const char *clinux_environment(long index);
/// Follows symbolic links, and waits for nobody.
int clinux_open_read_at_once(const char *path);
/// A new file, mode 0600; -EEXIST if the name is taken, even by a dangling link.
int clinux_open_new(int directory, const char *path);
int clinux_close(int fd);
long clinux_read(int fd, size_t count, uint8_t *bytes);
long clinux_write(int fd, size_t count, const uint8_t *bytes);
long clinux_read_link(int directory, const char *path, size_t count, uint8_t *bytes);
long clinux_list_directory(int fd, size_t count, uint8_t *entries);
/// The status of what `path` leads to; of `directory` itself if `path` is empty.
int clinux_status_at(int directory, const char *path, struct clinux_status *status);
int clinux_make_directory(const char *path, uint32_t mode);
/// Opens what has this name, whatever it is, only to look at it and to change its owner (O_PATH | O_NOFOLLOW).
int clinux_open_name(int directory, const char *path);
/// The file that processes lock against each other, made with mode 0600 if it is missing; follows no link.
int clinux_open_lock_file(int directory, const char *path);
/// Takes the lock of an open file, without waiting (flock(2), LOCK_EX | LOCK_NB).
int clinux_lock(int fd);
/// Changes the mode of what `fd` has open (O_PATH will do), through its name in /proc/self/fd; -ENOENT without /proc.
int clinux_set_mode(int fd, uint32_t mode);
/// Changes owner and group of what `fd` has open (O_PATH will do); UINT32_MAX leaves one as it is.
int clinux_set_owner(int fd, uint32_t uid, uint32_t gid);
int clinux_synchronise(int fd);
int clinux_rename_at(int directory, const char *old_path, const char *new_path);
int clinux_unlink_at(int directory, const char *path);
/// Waits without limit until `fd` takes bytes or is broken.
int clinux_wait_writable(int fd);
/// 1 for a terminal, 0 for anything else.
int clinux_is_terminal(int fd);
int clinux_terminal_size(int fd, uint16_t *rows, uint16_t *columns);

// MARK: Files below a folder that nobody leaves, openat2(2)

/// What clinux_open_beneath opens a file for.
enum clinux_access {
    /// O_PATH | O_NOFOLLOW
    CLINUX_ACCESS_PATH,
    /// O_RDONLY | O_DIRECTORY
    CLINUX_ACCESS_FOLDER,
    /// O_RDONLY | O_NONBLOCK | O_NOCTTY
    CLINUX_ACCESS_CONTENTS,
};

/// What statx(2) tells; times in seconds and nanoseconds, as any file system or user may have set them.
struct clinux_file_status {
    uint64_t device;
    uint64_t inode;
    uint64_t link_count;
    uint64_t size;
    /// 0 where the kernel does not say (before Linux 5.8).
    uint64_t mount_id;
    int64_t modified_seconds;
    int64_t changed_seconds;
    uint32_t modified_nanoseconds;
    uint32_t changed_nanoseconds;
    uint32_t mode;
    uint32_t uid;
    uint32_t gid;
};

/// RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS; -ENOSYS before Linux 5.6.
int clinux_open_beneath(int directory, const char *path, enum clinux_access access);
/// O_PATH, links followed, with `root` as the root of all: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS; -ENOSYS before Linux 5.6.
int clinux_open_in_root(int root, const char *path);
/// Opens what a link of /proc leads to, as CLINUX_ACCESS_CONTENTS.
int clinux_open_contents(int directory, const char *path);
/// Opens what `fd` has open (O_PATH will do) once more, through its name in /proc/self/fd; -ENOENT without /proc.
int clinux_reopen(int fd, enum clinux_access access);
/// The status of `path`, not through a symbolic link; of `directory` itself if `path` is empty.
int clinux_file_status_at(int directory, const char *path, struct clinux_file_status *status);
long clinux_read_at(int fd, uint64_t offset, size_t count, uint8_t *bytes);
/// 1 when another process holds a lock that would keep a writer of the whole file out, else 0.
int clinux_is_write_locked(int fd);

// MARK: inotify(7)

/// A new instance, in non-blocking mode.
int clinux_inotify_open(void);
/// Watches what `fd` has open (O_PATH will do), through its name in /proc/self/fd; -ENOENT without /proc.
int clinux_inotify_add(int inotify, int fd, uint32_t mask);
int clinux_inotify_remove(int inotify, int watch);

// MARK: Processes and processors

int clinux_pidfd_open(int32_t pid);
int32_t clinux_process_id(void);
long clinux_page_byte_count(void);
/// Affinity masks are arrays of 64-bit words, processor 0 in the lowest bit of the first word.
long clinux_get_affinity(size_t word_count, uint64_t *words);
int clinux_set_affinity(size_t word_count, const uint64_t *words);
/// User and system time of this process in nanoseconds.
int clinux_own_usage(int64_t *user_nanoseconds, int64_t *system_nanoseconds);

// MARK: Clocks

int64_t clinux_monotonic_nanoseconds(void);
int64_t clinux_boot_time_nanoseconds(void);
int64_t clinux_wall_nanoseconds(void);

// MARK: Threads and signals

/// Starts a detached thread in which all signals are blocked, except those that the thread's own faults raise.
int clinux_start_thread(void *(*body)(void *), void *context);
/// `name` is cut to 15 bytes.
int clinux_set_thread_name(const char *name);
int clinux_get_thread_name(char name[16]);
int clinux_block_signals(size_t count, const int32_t *signals);
int clinux_ignore_signal(int32_t signal);
int clinux_signalfd(size_t count, const int32_t *signals);
/// The number of the next pending signal of a signalfd.
int clinux_read_signal(int fd);

// MARK: Crashes

/// What clinux_crash_handle says of a call whose number is below 512; to be called before.
void clinux_crash_set_call_name(int number, const char *name);
/// Has SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT and SIGSYS write one line of JSON to descriptors 2 and `file`
/// (if not negative) before they end the process, and gives the calling thread a stack for that.
///
/// `description` is how the line begins, without the closing brace: at most 255 bytes. `program` names the executable.
/// The handler uses only write(2) and what is safe in a handler; it is to be installed before other threads exist.
int clinux_crash_handle(const char *description, const char *program, int file);
/// Gives the calling thread a stack on which a handler can run when the thread's own is full; 64 threads have one.
void clinux_alternate_stack_take(void);
/// To be called before a thread ends that has one.
void clinux_alternate_stack_give_back(void);
/// Opens /dev/null in place of each of the descriptors 0, 1 and 2 that is closed.
int clinux_fill_standard_descriptors(void);

// MARK: Privileges

int clinux_set_no_new_privileges(void);
int clinux_set_dumpable(int is_dumpable);
int clinux_set_keep_capabilities(int is_kept);
/// 1 if the bounding set holds the capability, 0 if not, -EINVAL if the kernel does not know it.
int clinux_bounding_set_has(int capability);
int clinux_bounding_set_drop(int capability);
int clinux_ambient_clear(void);
/// The three capability sets of the calling thread, capability 0 in bit 0.
int clinux_get_capabilities(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable);
int clinux_set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable);
int clinux_clear_groups(void);
int clinux_set_group(uint32_t gid);
int clinux_set_user(uint32_t uid);
/// Makes securebits say that uid 0 means nothing, for good.
int clinux_lock_secure_bits(void);

#endif

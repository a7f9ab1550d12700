#include "puppet_private.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int csim_puppet_channel(int32_t *ours, int32_t *theirs) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return -errno;
    int room = 2 * REQUEST_BYTE_COUNT;
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    *ours = pair[0];
    *theirs = pair[1];
    return 0;
}

static int wait_readable(int descriptor, int timeout) {
    struct pollfd entry = {descriptor, POLLIN, 0};
    int count;
    do count = poll(&entry, 1, timeout);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count == 0 ? -ETIMEDOUT : 0;
}

static int receive_answer(int channel, int timeout, int32_t *value) {
    int error = wait_readable(channel, timeout);
    if (error < 0) return error;
    struct puppet_answer reply;
    ssize_t count = recv(channel, &reply, sizeof reply, 0);
    if (count < 0) return -errno;
    if (count != sizeof reply) return -ECONNRESET;
    *value = reply.value;
    return -reply.error;
}

int csim_puppet_launch(int32_t *channel) {
    int32_t ours, theirs, value;
    int error = csim_puppet_channel(&ours, &theirs);
    if (error < 0) return error;
    char *arguments[] = {"puppet", NULL};
    char *environment[] = {FIRST_VARIABLE, CHANNEL_VARIABLE "=3", NULL, NULL};
    char path[4096];
    const char *libraries = getenv("LD_LIBRARY_PATH");
    if (libraries && snprintf(path, sizeof path, "LD_LIBRARY_PATH=%s", libraries) < (int)sizeof path)
        environment[2] = path;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (int descriptor = 0; descriptor < 3; descriptor++)
        posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, theirs, 3);
    posix_spawn_file_actions_addclosefrom_np(&actions, 4);
    // The calling thread may have blocked or ignored what a case sends.
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    pid_t pid = 0;
    error = -posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(theirs);
    if (error == 0) error = receive_answer(ours, TIMEOUT_MILLISECONDS * 5, &value);
    if (error < 0) {
        close(ours);
        if (pid > 0) {
            kill(pid, SIGKILL);
            waitpid(pid, NULL, 0);
        }
        return error;
    }
    *channel = ours;
    return pid;
}

static int send_request(int channel, const uint8_t *request, int count, int passed) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec place = {(void *)request, (size_t)count};
    struct msghdr message = {.msg_iov = &place, .msg_iovlen = 1};
    if (passed >= 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &passed, sizeof(int));
    }
    return sendmsg(channel, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int csim_puppet_request(int32_t channel, const uint8_t *request, int32_t count, int32_t passed,
                        int32_t timeout_milliseconds, int32_t *value) {
    if (count < 1 || count >= REQUEST_BYTE_COUNT) return -E2BIG;
    int error = send_request(channel, request, count, passed);
    return error < 0 ? error : receive_answer(channel, timeout_milliseconds, value);
}

int csim_puppet_tell(int32_t channel, const uint8_t *request, int32_t count) {
    if (count < 1 || count >= REQUEST_BYTE_COUNT) return -E2BIG;
    return send_request(channel, request, count, -1);
}

void csim_sleep_milliseconds(int32_t milliseconds) {
    struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    while (nanosleep(&left, &left) < 0 && errno == EINTR) {}
}

int csim_process_wait_end(int32_t pidfd, int32_t timeout_milliseconds) {
    return wait_readable(pidfd, timeout_milliseconds);
}

// The state letter of a task: the character two behind the last parenthesis.
static char state_of(const char *path) {
    char text[1024];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    if (count <= 0) return 0;
    text[count] = 0;
    char *place = strrchr(text, ')');
    return place && place[1] ? place[2] : 0;
}

static int wait_state(const char *path, char wanted, int timeout) {
    for (int round = 0; round < timeout; round++) {
        if (state_of(path) == wanted) return 0;
        csim_sleep_milliseconds(1);
    }
    return -ETIMEDOUT;
}

int csim_process_wait_zombie(int32_t pid, int32_t timeout_milliseconds) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    return wait_state(path, 'Z', timeout_milliseconds);
}

int csim_thread_wait_end(int32_t pid, int32_t tid, int32_t timeout_milliseconds) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, tid);
    return wait_state(path, 0, timeout_milliseconds);
}

int csim_pidfd_open(int32_t pid) { return (int)checked(syscall(SYS_pidfd_open, pid, 0)); }

int csim_pidfd_signal(int32_t pidfd, int32_t signal) {
    return (int)checked(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

int csim_reap_child(int32_t pid, int32_t timeout_milliseconds) {
    for (int round = 0; round < timeout_milliseconds; round++) {
        pid_t reaped = waitpid(pid, NULL, WNOHANG);
        if (reaped != 0) return reaped < 0 ? -errno : 0;
        csim_sleep_milliseconds(1);
    }
    return -ETIMEDOUT;
}

int csim_close(int32_t descriptor) { return (int)checked(close(descriptor)); }

int csim_copy_program(const char *path) {
    int target = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    if (target < 0) return -errno;
    long result = puppet_copy_program(target);
    if (result == 0 && fchmod(target, 0755) < 0) result = -errno;
    close(target);
    return (int)result;
}

int csim_make_scratch(char *path) {
    if (!mkdtemp(path)) return -errno;
    return chmod(path, 0755) < 0 ? -errno : 0;
}

int csim_unlink(const char *path) { return (int)checked(unlink(path)); }
int csim_remove_folder(const char *path) { return (int)checked(rmdir(path)); }

int csim_observe_as(uint32_t uid) {
    // The raw calls change the calling thread only. The real and saved ids stay, which is the way back.
    if (uid == 0) {
        if (syscall(SYS_setresuid, -1, 0, -1) < 0) return -errno;
        return (int)checked(syscall(SYS_setresgid, -1, 0, -1));
    }
    if (syscall(SYS_setresgid, -1, uid, -1) < 0) return -errno;
    return (int)checked(syscall(SYS_setresuid, -1, uid, -1));
}

int csim_hide_processes(int32_t hidepid) {
    char options[32];
    snprintf(options, sizeof options, "hidepid=%d", hidepid);
    // Mount namespaces belong to threads, and nothing of this one goes back to the host's.
    if (unshare(CLONE_NEWNS) < 0) return -errno;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return -errno;
    return (int)checked(mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, options));
}

int csim_forge_connector(const uint8_t *message, int32_t count) {
    int forger = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR);
    if (forger < 0) return -errno;
    struct sockaddr_nl own = {.nl_family = AF_NETLINK};
    int sent = 0;
    if (bind(forger, (struct sockaddr *)&own, sizeof own) < 0) sent = -errno;
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;
    while (sent >= 0 && folder && (entry = readdir(folder))) {
        int descriptor = (int)strtol(entry->d_name, NULL, 10), protocol = -1;
        struct sockaddr_nl address;
        socklen_t length = sizeof address, size = sizeof protocol;
        if (descriptor == forger) continue;
        if (getsockopt(descriptor, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) < 0) continue;
        if (protocol != NETLINK_CONNECTOR) continue;
        if (getsockname(descriptor, (struct sockaddr *)&address, &length) < 0) continue;
        if (address.nl_family != AF_NETLINK) continue;
        address.nl_groups = 0;
        if (sendto(forger, message, (size_t)count, 0, (struct sockaddr *)&address, sizeof address) < 0)
            sent = -errno;
        else
            sent++;
    }
    if (folder) closedir(folder);
    close(forger);
    return sent;
}

int csim_kernel_release(char *text, int32_t capacity) {
    struct utsname names;
    if (uname(&names) < 0) return -errno;
    return snprintf(text, (size_t)capacity, "%s", names.release) < capacity ? 0 : -ENAMETOOLONG;
}

static int has_capabilities(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};
    const int wanted[] = {CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SYS_PTRACE, CAP_SYS_ADMIN};
    if (syscall(SYS_capget, &header, data) < 0) return 0;
    for (size_t index = 0; index < sizeof wanted / sizeof *wanted; index++)
        if (!(data[0].effective >> wanted[index] & 1)) return 0;
    return 1;
}

// Initial namespaces have fixed inodes: PROC_PID_INIT_INO and PROC_USER_INIT_INO of include/linux/proc_ns.h.
static int is_namespace(const char *path, ino_t inode) {
    struct stat status;
    return stat(path, &status) == 0 && status.st_ino == inode;
}

enum csim_obstacle csim_real_kernel_obstacle(void) {
    if (geteuid() != 0) return CSIM_OBSTACLE_NOT_ROOT;
    if (!has_capabilities()) return CSIM_OBSTACLE_CAPABILITIES;
    if (!is_namespace("/proc/self/ns/pid", 0xeffffffcU) || !is_namespace("/proc/self/ns/user", 0xeffffffdU))
        return CSIM_OBSTACLE_NAMESPACE;
    return CSIM_OBSTACLE_NONE;
}

#include "puppet_private.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Most fields of a request.
#define ARGUMENT_COUNT 64

struct request {
    int channel;
    int verb;
    int passed;
    int count;
    char *fields[ARGUMENT_COUNT + 1];
};

static void obey(int channel) __attribute__((noreturn));

static void answer(int channel, long result) {
    struct puppet_answer reply = {result < 0 ? (int32_t)-result : 0, result < 0 ? 0 : (int32_t)result};
    // When nobody listens any more, the next receive ends this puppet.
    (void)send(channel, &reply, sizeof reply, MSG_NOSIGNAL);
}

static long number(const struct request *r, int index) {
    return index < r->count ? strtol(r->fields[index], NULL, 10) : 0;
}

// Not fork(3): the child must be able to ask for its pid, and nothing of this process needs the handlers.
static long clone_child(unsigned long long flags, long tid) {
    pid_t wanted = (pid_t)tid;
    struct clone_args args;
    memset(&args, 0, sizeof args);
    args.flags = flags;
    args.exit_signal = SIGCHLD;
    if (tid > 0) {
        args.set_tid = (uint64_t)(uintptr_t)&wanted;
        args.set_tid_size = 1;
    }
    return checked(syscall(SYS_clone3, &args, sizeof args));
}

static long fork_puppet(const struct request *r, unsigned long long flags) {
    long child = clone_child(flags, number(r, 0));
    if (child == 0) {
        close_range(3, (unsigned)r->passed - 1, 0);
        close_range((unsigned)r->passed + 1, ~0U, 0);
        obey(r->passed);
    }
    close(r->passed);
    return child;
}

struct new_thread {
    int channel;
    _Atomic long tid;
};

static void *obey_thread(void *place) {
    struct new_thread *self = place;
    int channel = self->channel;
    // The creator returns, and with it the place, once it sees the number.
    self->tid = syscall(SYS_gettid);
    obey(channel);
}

static long create_thread(const struct request *r) {
    struct new_thread created = {.channel = r->passed};
    pthread_t thread;
    int error = pthread_create(&thread, NULL, obey_thread, &created);
    if (error) {
        close(r->passed);
        return -error;
    }
    while (created.tid == 0) sched_yield();
    return created.tid;
}

static long execute(const struct request *r, int program, int first) {
    char variable[64];
    char *environment[] = {FIRST_VARIABLE, variable, NULL, NULL};
    const char *libraries = getenv("LD_LIBRARY_PATH");
    static char path[4096];
    if (libraries && snprintf(path, sizeof path, "LD_LIBRARY_PATH=%s", libraries) < (int)sizeof path)
        environment[2] = path;
    snprintf(variable, sizeof variable, CHANNEL_VARIABLE "=%d", r->channel);
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    fcntl(r->channel, F_SETFD, 0);
    char **arguments = (char **)&r->fields[first];
    /* A program that was just written is busy as long as some other child, forked meanwhile and not executed yet, holds
       the descriptor it was written with: at most a second of patience. */
    for (int attempt = 0; attempt < 200; attempt++) {
        if (program >= 0)
            syscall(SYS_execveat, program, "", arguments, environment, AT_EMPTY_PATH);
        else
            syscall(SYS_execve, r->fields[0], arguments, environment);
        if (errno != ETXTBSY) return -errno;
        struct timespec pause = {0, 5000000};
        nanosleep(&pause, NULL);
    }
    return -ETXTBSY;
}

long puppet_copy_program(int target) {
    int source = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (source < 0) return -errno;
    ssize_t count;
    while ((count = sendfile(target, source, NULL, 1 << 24)) > 0) {}
    long result = checked(count);
    close(source);
    return result;
}

static long execute_memfd(const struct request *r) {
    int program = memfd_create(r->fields[0], MFD_CLOEXEC);
    if (program < 0) return -errno;
    long result = puppet_copy_program(program);
    if (result == 0) result = execute(r, program, 1);
    close(program);
    return result;
}

static long detach(pid_t pid) {
    int status;
    if (ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0) return -errno;
    if (waitpid(pid, &status, __WALL) < 0) return -errno;
    return checked(ptrace(PTRACE_DETACH, pid, 0, 0));
}

// The argument area as the kernel knows it: fields 48 and 49 of proc(5)'s stat, counted from the last
// parenthesis.
static char *argument_area(size_t *length) {
    char text[2048];
    int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (file < 0) return NULL;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    if (count <= 0) return NULL;
    text[count] = 0;
    char *place = strrchr(text, ')');
    for (int field = 2; place && field < 48; field++) place = strchr(place + 1, ' ');
    if (!place) return NULL;
    uintptr_t start = strtoull(place + 1, &place, 10);
    *length = strtoull(place, NULL, 10) - start;
    return (char *)start;
}

static long overwrite_title(const struct request *r) {
    static size_t written;
    size_t length = 0, count = r->count > 0 ? strlen(r->fields[0]) : 0;
    char *area = argument_area(&length);
    if (!area) return -EINVAL;
    // As setproctitle(3) does: the rest of the area is cleared, and so is what is left of a longer title.
    memcpy(area, r->fields[0], count);
    if (written > length) length = written;
    if (count < length) memset(area + count, 0, length - count);
    if (count > written) written = count;
    return 0;
}

static long reap_all(void) {
    int reaped = 0;
    for (int round = 0; round < TIMEOUT_MILLISECONDS; round++) {
        pid_t pid = waitpid(-1, NULL, WNOHANG | __WALL);
        if (pid < 0) return reaped;
        if (pid > 0) reaped++;
        else csim_sleep_milliseconds(1);
    }
    return -ETIMEDOUT;
}

static long burst(long count) {
    for (long index = 0; index < count; index++) {
        long child = clone_child(0, 0);
        if (child == 0) syscall(SYS_exit_group, 0);
        if (child < 0) return child;
        if (waitpid((pid_t)child, NULL, 0) < 0) return -errno;
    }
    return count;
}

static long burst_twice(long count) {
    long children[2];
    for (int index = 0; index < 2; index++) {
        children[index] = clone_child(0, 0);
        if (children[index] == 0) {
            burst(count);
            syscall(SYS_exit_group, 0);
        }
    }
    for (int index = 0; index < 2; index++)
        if (children[index] > 0) waitpid((pid_t)children[index], NULL, 0);
    return children[0] < 0 ? children[0] : children[1] < 0 ? children[1] : count;
}

// The socket of the last CSIM_PUPPET_CONNECT.
static int stream = -1;

static long connect_stream(const struct request *r) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (r->count < 1 || strlen(r->fields[0]) >= sizeof address.sun_path) return -ENAMETOOLONG;
    memcpy(address.sun_path, r->fields[0], strlen(r->fields[0]));
    if (stream >= 0) close(stream);
    stream = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return stream < 0 ? -errno : checked(connect(stream, (struct sockaddr *)&address, sizeof address));
}

static long send_descriptor(const struct request *r) {
    if (r->count < 1) return -EINVAL;
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec place = {r->fields[0], strlen(r->fields[0])};
    struct msghdr message = {.msg_iov = &place, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof control};
    memset(&control, 0, sizeof control);
    control.header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), &r->channel, sizeof(int));
    return checked(sendmsg(stream, &message, MSG_NOSIGNAL));
}

static long perform(const struct request *r) {
    switch (r->verb) {
    case CSIM_PUPPET_FORK: return fork_puppet(r, 0);
    case CSIM_PUPPET_FORK_IN_NEW_NAMESPACE: return fork_puppet(r, CLONE_NEWPID);
    case CSIM_PUPPET_EXEC: return execute(r, -1, 1);
    case CSIM_PUPPET_EXEC_MEMFD: return execute_memfd(r);
    case CSIM_PUPPET_EXIT: return syscall(SYS_exit_group, (int)number(r, 0));
    case CSIM_PUPPET_EXIT_THREAD: return syscall(SYS_exit, 0);
    case CSIM_PUPPET_RAISE: return checked(kill(getpid(), (int)number(r, 0)));
    case CSIM_PUPPET_REAP: {
        int status = 0;
        return waitpid((pid_t)number(r, 0), &status, WNOHANG) > 0 ? status : -ECHILD;
    }
    case CSIM_PUPPET_REAP_ALL: return reap_all();
    case CSIM_PUPPET_COMM: return checked(prctl(PR_SET_NAME, r->fields[0], 0, 0, 0));
    case CSIM_PUPPET_THREAD: return create_thread(r);
    // The raw calls: the C library would tell all threads.
    case CSIM_PUPPET_SETUID: return checked(syscall(SYS_setuid, (uid_t)number(r, 0)));
    case CSIM_PUPPET_SETGID: return checked(syscall(SYS_setgid, (gid_t)number(r, 0)));
    case CSIM_PUPPET_ADOPT: return checked(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
    case CSIM_PUPPET_SETSID: return checked(setsid());
    case CSIM_PUPPET_ATTACH: return checked(ptrace(PTRACE_SEIZE, (pid_t)number(r, 0), 0, PTRACE_O_EXITKILL));
    case CSIM_PUPPET_DETACH: return detach((pid_t)number(r, 0));
    case CSIM_PUPPET_TITLE: return overwrite_title(r);
    case CSIM_PUPPET_NOT_DUMPABLE: return checked(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
    case CSIM_PUPPET_BURST: return burst(number(r, 0));
    case CSIM_PUPPET_BURST_TWICE: return burst_twice(number(r, 0));
    case CSIM_PUPPET_CONNECT: return connect_stream(r);
    case CSIM_PUPPET_SEND_DESCRIPTOR: return send_descriptor(r);
    default: return -ENOSYS;
    }
}

// Receives one request; the bytes stay valid until the next one of this thread.
static int receive_request(int channel, char *bytes, struct request *r) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec place = {bytes, REQUEST_BYTE_COUNT - 1};
    struct msghdr message = {.msg_iov = &place, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t count;
    do count = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
    while (count < 0 && errno == EINTR);
    if (count <= 0) return 0;
    bytes[count] = 0;
    memset(r, 0, sizeof *r);
    r->channel = channel;
    r->verb = bytes[0];
    r->passed = -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_type == SCM_RIGHTS) memcpy(&r->passed, CMSG_DATA(header), sizeof(int));
    char *field = bytes + 1;
    for (; field < bytes + count && r->count < ARGUMENT_COUNT; field += strlen(field) + 1)
        r->fields[r->count++] = field;
    return 1;
}

static void obey(int channel) {
    char *bytes = mmap(NULL, REQUEST_BYTE_COUNT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct request r;
    while (bytes != MAP_FAILED && receive_request(channel, bytes, &r)) {
        answer(channel, perform(&r));
    }
    _exit(0);
}

// Runs before main: a program started as a puppet never becomes anything else.
__attribute__((constructor)) static void become_puppet(void) {
    const char *text = getenv(CHANNEL_VARIABLE);
    if (!text) return;
    int channel = (int)strtol(text, NULL, 10);
    // The Swift runtime has handlers of its own by now, which would start a debugger.
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    // One byte: no core file, and unlike 0 no pipe to a core handler either (core(5)).
    struct rlimit no_core = {1, 1};
    setrlimit(RLIMIT_CORE, &no_core);
    answer(channel, getpid());
    obey(channel);
}

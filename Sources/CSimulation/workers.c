#include "workers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

// MARK: starting and stopping workers

static void close_both(int32_t pair[2]) {
    close(pair[0]);
    close(pair[1]);
}

// The environment of a worker: the present one, padded by a different amount for each, with memory filled differently.
static char **worker_environment(int32_t index) {
    size_t count = 0;
    while (environ[count] != NULL) { count++; }
    char **copy = calloc(count + 4, sizeof(char *));
    char *padding = calloc(1, 64 + 997 * (size_t)(index + 1));
    char *perturb = calloc(1, 64);
    if (copy == NULL || padding == NULL || perturb == NULL) { abort(); }
    memcpy(copy, environ, count * sizeof(char *));
    strcpy(padding, "COLLECTOR_SIM_PADDING=");
    memset(padding + strlen(padding), 'x', 997 * (size_t)index);
    snprintf(perturb, 64, "MALLOC_PERTURB_=%d", 1 + 91 * (index + 1) % 255);
    copy[count] = padding;
    copy[count + 1] = perturb;
    // A crash is reported by its message alone: a backtrace takes seconds, and hides the signal.
    copy[count + 2] = "SWIFT_BACKTRACE=enable=no";
    return copy;
}

struct csim_worker csim_worker_start(int32_t index) {
    struct csim_worker worker = {-EIO, -1, -1};
    int32_t requests[2], answers[2];
    if (pipe2(requests, O_CLOEXEC) != 0) {
        worker.pid = -errno;
        return worker;
    }
    if (pipe2(answers, O_CLOEXEC) != 0) {
        worker.pid = -errno;
        close_both(requests);
        return worker;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, requests[0], 0);
    posix_spawn_file_actions_adddup2(&actions, answers[1], 1);
    if (index % 2 == 1) { posix_spawn_file_actions_addchdir_np(&actions, "/"); }
    char *arguments[] = {"collector-sim", "worker", NULL};
    pid_t pid = -1;
    int error = posix_spawn(&pid, "/proc/self/exe", &actions, NULL, arguments, worker_environment(index));
    posix_spawn_file_actions_destroy(&actions);
    close(requests[0]);
    close(answers[1]);
    if (error != 0) {
        close(requests[1]);
        close(answers[0]);
        worker.pid = -error;
        return worker;
    }
    return (struct csim_worker){pid, requests[1], answers[0]};
}

int csim_worker_stop(struct csim_worker worker) {
    csim_close_stream(worker.requests);
    csim_close_stream(worker.answers);
    int status = 0;
    while (waitpid(worker.pid, &status, 0) < 0) {
        if (errno != EINTR) { return -errno; }
    }
    return 0;
}

// MARK: one child per seed

struct csim_child csim_child_fork(int32_t time_limit_seconds) {
    struct csim_child child = {-EIO, -1, -1};
    child.report = memfd_create("report", MFD_CLOEXEC);
    child.messages = memfd_create("messages", MFD_CLOEXEC);
    if (child.report < 0 || child.messages < 0) {
        child.pid = -errno;
        return child;
    }
    pid_t parent = getpid();
    child.pid = fork();
    if (child.pid < 0) { child.pid = -errno; }
    if (child.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) { _exit(127); }
        dup2(child.messages, 2);
        alarm((unsigned)time_limit_seconds);
    }
    return child;
}

int32_t csim_messages_file(void) {
    int32_t file = memfd_create("messages", MFD_CLOEXEC);
    return file < 0 ? -errno : file;
}

int32_t csim_child_fork_brief(int32_t messages, int32_t time_limit_seconds) {
    if (ftruncate(messages, 0) != 0 || lseek(messages, 0, SEEK_SET) < 0) { return -errno; }
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0) { return -errno; }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) { _exit(127); }
        dup2(messages, 2);
        alarm((unsigned)time_limit_seconds);
    }
    return pid;
}

void csim_child_exit(int32_t code) { _exit(code); }

// The Swift runtime's own switch (stdlib/public/runtime/Exclusivity.cpp).
extern _Bool _swift_disableExclusivityChecking __attribute__((weak));

void csim_skip_access_checks(void) {
    if (&_swift_disableExclusivityChecking != NULL) { _swift_disableExclusivityChecking = 1; }
}

int csim_child_wait_brief(int32_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) { return -errno; }
    }
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

int csim_child_wait(struct csim_child child) {
    int status = 0;
    while (waitpid(child.pid, &status, 0) < 0) {
        if (errno != EINTR) { return -errno; }
    }
    if (lseek(child.report, 0, SEEK_SET) < 0 || lseek(child.messages, 0, SEEK_SET) < 0) { return -errno; }
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

// MARK: many workers at a time

enum { watch_limit = 512 };

static struct pollfd watched[watch_limit];
static nfds_t watched_count;

void csim_watch_none(void) { watched_count = 0; }

int csim_watch(int32_t descriptor) {
    if (watched_count == watch_limit) { return -EMFILE; }
    watched[watched_count] = (struct pollfd){descriptor, POLLIN, 0};
    watched_count += 1;
    return 0;
}

int csim_wait_watched(int32_t milliseconds) {
    int count = poll(watched, watched_count, milliseconds);
    return count < 0 ? -errno : count;
}

int csim_is_readable(int32_t descriptor) {
    struct pollfd one = {descriptor, POLLIN, 0};
    return poll(&one, 1, 0) == 1;
}

static volatile sig_atomic_t interrupt_count;

static struct timespec first_interrupt;

static void note_interrupt(int number) {
    (void)number;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (interrupt_count == 0) { first_interrupt = now; }
    interrupt_count = 1;
    // Whoever asks again does not want to wait for the summary; one wish may come as two signals at once.
    if (now.tv_sec - first_interrupt.tv_sec > 1) { _exit(130); }
}

void csim_catch_interrupts(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = note_interrupt;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

void csim_ignore_interrupts(void) {
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
}

int csim_is_interrupted(void) { return interrupt_count > 0; }

static int64_t nanoseconds_of(int who) {
    struct rusage usage;
    if (getrusage(who, &usage) != 0) { return 0; }
    return ((int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000
        + ((int64_t)usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

int64_t csim_own_processor_nanoseconds(void) { return nanoseconds_of(RUSAGE_SELF); }
int64_t csim_children_processor_nanoseconds(void) { return nanoseconds_of(RUSAGE_CHILDREN); }
int32_t csim_processor_count(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) { return 1; }
    return CPU_COUNT(&set);
}

// MARK: streams of bytes

enum { stream_limit = 256, stream_byte_count = 65536 };

struct stream {
    int32_t descriptor;
    int32_t is_used;
    size_t next, end;
    uint8_t bytes[stream_byte_count];
};

// A descriptor is either read or written, never both, so one buffer each is enough.
static struct stream streams[stream_limit];

// The one that was used last: bytes come and go one by one.
static struct stream *recent;

static struct stream *stream_of(int32_t descriptor) {
    if (recent != NULL && recent->is_used && recent->descriptor == descriptor) { return recent; }
    struct stream *unused = NULL;
    for (int index = 0; index < stream_limit; index++) {
        if (streams[index].is_used && streams[index].descriptor == descriptor) {
            recent = &streams[index];
            return recent;
        }
        if (!streams[index].is_used && unused == NULL) { unused = &streams[index]; }
    }
    if (unused == NULL) { return NULL; }
    unused->descriptor = descriptor;
    unused->is_used = 1;
    unused->next = 0;
    unused->end = 0;
    return unused;
}

int csim_read_byte(int32_t descriptor) {
    struct stream *stream = stream_of(descriptor);
    if (stream == NULL) { return -1; }
    if (stream->next == stream->end) {
        ssize_t count;
        do { count = read(descriptor, stream->bytes, stream_byte_count); } while (count < 0 && errno == EINTR);
        if (count <= 0) { return -1; }
        stream->next = 0;
        stream->end = (size_t)count;
    }
    return stream->bytes[stream->next++];
}

int csim_has_byte(int32_t descriptor) {
    struct stream *stream = stream_of(descriptor);
    return stream != NULL && stream->next < stream->end;
}

int csim_flush(int32_t descriptor) {
    struct stream *stream = stream_of(descriptor);
    if (stream == NULL) { return -EMFILE; }
    size_t written = 0;
    while (written < stream->end) {
        ssize_t count = write(descriptor, stream->bytes + written, stream->end - written);
        if (count < 0) {
            if (errno == EINTR) { continue; }
            stream->end = 0;
            return -errno;
        }
        written += (size_t)count;
    }
    stream->end = 0;
    return 0;
}

int csim_write_byte(int32_t descriptor, uint8_t byte) {
    struct stream *stream = stream_of(descriptor);
    if (stream == NULL) { return -EMFILE; }
    stream->bytes[stream->end++] = byte;
    return stream->end == stream_byte_count ? csim_flush(descriptor) : 0;
}

int csim_close_stream(int32_t descriptor) {
    struct stream *stream = stream_of(descriptor);
    if (stream != NULL) { stream->is_used = 0; }
    return close(descriptor) == 0 ? 0 : -errno;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

int csim_folder_names(int32_t folder) {
    int descriptor = dup(folder);
    DIR *directory = descriptor < 0 ? NULL : fdopendir(descriptor);
    if (directory == NULL) { return -errno; }
    int names = memfd_create("names", MFD_CLOEXEC);
    char **list = NULL;
    size_t count = 0;
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        char **longer = realloc(list, (count + 1) * sizeof(char *));
        char *name = strdup(entry->d_name);
        if (longer == NULL || name == NULL) { abort(); }
        list = longer;
        list[count++] = name;
    }
    closedir(directory);
    if (count > 0) { qsort(list, count, sizeof(char *), by_name); }
    for (size_t index = 0; index < count; index++) {
        if (write(names, list[index], strlen(list[index]) + 1) < 0) { abort(); }
        free(list[index]);
    }
    free(list);
    lseek(names, 0, SEEK_SET);
    return names;
}

// MARK: the terminal and the clock

void csim_ignore_broken_pipes(void) { signal(SIGPIPE, SIG_IGN); }

int csim_is_terminal(int32_t descriptor) { return isatty(descriptor); }

int csim_has_colour(int32_t descriptor) {
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    if (no_colour != NULL && no_colour[0] != '\0') { return 0; }
    if (terminal != NULL && strcmp(terminal, "dumb") == 0) { return 0; }
    return isatty(descriptor);
}

int64_t csim_real_nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int csim_thread_count(void) {
    char text[1024];
    int descriptor = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) { return -errno; }
    ssize_t count = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    if (count <= 0) { return -EIO; }
    text[count] = '\0';
    char *end = strrchr(text, ')');
    int threads = 0;
    // Field 20 of proc(5); the name, field 2, ends at the last parenthesis.
    if (end == NULL || sscanf(end + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d", &threads) != 1) {
        return -EIO;
    }
    return threads;
}

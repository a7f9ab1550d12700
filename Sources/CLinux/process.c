#include "CLinux.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clinux_pidfd_open(int32_t pid) {
    long fd = syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : (int)fd;
}

int32_t clinux_process_id(void) {
    return getpid();
}

long clinux_page_byte_count(void) {
    long count = sysconf(_SC_PAGESIZE);
    return count < 0 ? -errno : count;
}

long clinux_get_affinity(size_t word_count, uint64_t *words) {
    // The raw call, because the wrapper of glibc clears and hides how many bytes the kernel's mask has.
    long count = syscall(SYS_sched_getaffinity, 0, word_count * sizeof *words, words);
    return count < 0 ? -errno : count;
}

int clinux_set_affinity(size_t word_count, const uint64_t *words) {
    return syscall(SYS_sched_setaffinity, 0, word_count * sizeof *words, words) < 0 ? -errno : 0;
}

static int64_t nanoseconds(struct timeval time) {
    return (int64_t)time.tv_sec * 1000000000 + (int64_t)time.tv_usec * 1000;
}

int clinux_own_usage(int64_t *user_nanoseconds, int64_t *system_nanoseconds) {
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) < 0) return -errno;
    *user_nanoseconds = nanoseconds(usage.ru_utime);
    *system_nanoseconds = nanoseconds(usage.ru_stime);
    return 0;
}

static int64_t now(clockid_t clock) {
    struct timespec time;
    if (clock_gettime(clock, &time) < 0) return -errno;
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t clinux_monotonic_nanoseconds(void) {
    return now(CLOCK_MONOTONIC);
}

int64_t clinux_boot_time_nanoseconds(void) {
    return now(CLOCK_BOOTTIME);
}

int64_t clinux_wall_nanoseconds(void) {
    return now(CLOCK_REALTIME);
}

const char *clinux_environment(long index) {
    return environ == NULL ? NULL : environ[index];
}

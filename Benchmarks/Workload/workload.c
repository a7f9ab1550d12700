// What the benchmarks watch: processes that come and go, or sleep; and the barest watcher. One static program without
// dependencies, so that the load itself costs the host little.
//
//   workload nap                     sleeps for a millisecond (the program that `rate` executes)
//   workload storm COUNT             starts COUNT processes that end at once, one after the other, at full speed
//   workload rate PER_SECOND COUNT   executes `workload nap` at a steady rate
//   workload sleepers COUNT          keeps COUNT sleeping processes until standard input ends
//   workload bare SECONDS TICK_US    watches executions (bare.c), at most SECONDS, until SIGTERM
//
// `storm` and `rate` wait for a line on standard input. All but `nap` print one line when they are done (`sleepers`:
// when all sleep): how many processes there were, and the nanoseconds that it took. `bare` prints the messages, the
// executions among them, those of which it could read everything, and its own CPU time in nanoseconds.

#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const int64_t second = 1000000000;

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * second + time.tv_nsec;
}

static void wait_for_line(void) {
    char byte = 0;
    while (byte != '\n' && read(0, &byte, 1) == 1) continue;
}

static int finish(long count, int64_t elapsed) {
    printf("%ld %lld\n", count, (long long)elapsed);
    fflush(stdout);
    return 0;
}

static int nap(void) {
    struct timespec time = {0, 1000000};
    nanosleep(&time, NULL);
    return 0;
}

static int storm(long count) {
    wait_for_line();
    int64_t begin = now();
    long made = 0;
    while (made < count) {
        pid_t child = vfork();
        if (child == 0) _exit(0);
        if (child < 0) break;
        made += 1;
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
    }
    return finish(made, now() - begin);
}

static int rate(long per_second, long count) {
    wait_for_line();
    char *arguments[] = {"/proc/self/exe", "nap", NULL};
    char *environment[] = {NULL};
    char path[4096];
    ssize_t length = readlink(arguments[0], path, sizeof path - 1);
    if (length < 0) return 1;
    path[length] = 0;
    arguments[0] = path;
    int64_t begin = now();
    long made = 0;
    while (made < count) {
        int64_t due = begin + made * second / per_second;
        struct timespec until = {due / second, due % second};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        pid_t child = vfork();
        if (child == 0) {
            execve(path, arguments, environment);
            _exit(127);
        }
        if (child < 0) break;
        made += 1;
        while (waitpid(-1, NULL, WNOHANG) > 0) continue;
    }
    int64_t elapsed = now() - begin;
    while (wait(NULL) > 0 || errno == EINTR) continue;
    return finish(made, elapsed);
}

static int sleepers(long count) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && (rlim_t)count > limit.rlim_cur / 2)
        count = (long)(limit.rlim_cur / 2);
    pid_t *pids = calloc((size_t)count, sizeof *pids);
    if (pids == NULL) return 1;
    int64_t begin = now();
    pid_t parent = getpid();
    long made = 0;
    while (made < count) {
        pid_t child = fork();
        if (child == 0) {
            // Whatever happens to the parent, nothing is left behind.
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() != parent) _exit(0);
            while (1) pause();
        }
        if (child < 0) break;
        pids[made++] = child;
    }
    finish(made, now() - begin);
    char byte;
    while (read(0, &byte, 1) > 0) continue;
    for (long index = 0; index < made; index++) kill(pids[index], SIGKILL);
    for (long index = 0; index < made; index++) waitpid(pids[index], NULL, 0);
    free(pids);
    return 0;
}

static long number(int count, char **arguments, int index) {
    return index < count ? strtol(arguments[index], NULL, 10) : 0;
}

int main(int count, char **arguments) {
    const char *verb = count > 1 ? arguments[1] : "";
    long first = number(count, arguments, 2);
    long second_number = number(count, arguments, 3);
    if (strcmp(verb, "nap") == 0) return nap();
    if (strcmp(verb, "storm") == 0 && first > 0) return storm(first);
    if (strcmp(verb, "rate") == 0 && first > 0 && second_number > 0) return rate(first, second_number);
    if (strcmp(verb, "sleepers") == 0 && first > 0) return sleepers(first);
    if (strcmp(verb, "bare") == 0 && first > 0 && second_number > 0) return bare(first, second_number);
    fputs("usage: workload nap | storm COUNT | rate PER_SECOND COUNT | sleepers COUNT | bare SECONDS TICK_US\n", stderr);
    return 64;
}

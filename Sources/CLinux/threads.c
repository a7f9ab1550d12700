#include "CLinux.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

int clinux_start_thread(void *(*body)(void *), void *context) {
    static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS};
    sigset_t blocked, previous;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&blocked, faults[i]);

    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error != 0) return -error;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    // The new thread inherits the mask, so that no signal can reach it before it has one of its own.
    pthread_sigmask(SIG_SETMASK, &blocked, &previous);
    pthread_t thread;
    error = pthread_create(&thread, &attributes, body, context);
    pthread_sigmask(SIG_SETMASK, &previous, NULL);
    pthread_attr_destroy(&attributes);
    return -error;
}

int clinux_set_thread_name(const char *name) {
    return prctl(PR_SET_NAME, name, 0, 0, 0) < 0 ? -errno : 0;
}

int clinux_get_thread_name(char name[16]) {
    return prctl(PR_GET_NAME, name, 0, 0, 0) < 0 ? -errno : 0;
}

static void fill(sigset_t *set, size_t count, const int32_t *signals) {
    sigemptyset(set);
    for (size_t i = 0; i < count; i++) sigaddset(set, signals[i]);
}

int clinux_block_signals(size_t count, const int32_t *signals) {
    sigset_t set;
    fill(&set, count, signals);
    return -pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int clinux_ignore_signal(int32_t signal) {
    struct sigaction action = {.sa_handler = SIG_IGN};
    return sigaction(signal, &action, NULL) < 0 ? -errno : 0;
}

int clinux_signalfd(size_t count, const int32_t *signals) {
    sigset_t set;
    fill(&set, count, signals);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int clinux_read_signal(int fd) {
    struct signalfd_siginfo information;
    ssize_t count = read(fd, &information, sizeof information);
    return count < 0 ? -errno : (int)information.ssi_signo;
}

#include "CLinux.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static int control(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event = {.events = events, .data = {.u64 = data}};
    return epoll_ctl(epoll, operation, fd, &event) < 0 ? -errno : 0;
}

int clinux_epoll_create(void) {
    int fd = epoll_create1(EPOLL_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int clinux_epoll_add_edge(int epoll, int fd, uint64_t data) {
    return control(epoll, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLET, data);
}

int clinux_epoll_add_disarmed(int epoll, int fd, uint64_t data) {
    return control(epoll, EPOLL_CTL_ADD, fd, EPOLLONESHOT, data);
}

int clinux_epoll_arm(int epoll, int fd, uint32_t events, uint64_t data) {
    uint32_t wanted = EPOLLONESHOT;
    if (events & CLINUX_POLL_READABLE) wanted |= EPOLLIN;
    if (events & CLINUX_POLL_WRITABLE) wanted |= EPOLLOUT;
    return control(epoll, EPOLL_CTL_MOD, fd, wanted, data);
}

int clinux_epoll_remove(int epoll, int fd) {
    return control(epoll, EPOLL_CTL_DEL, fd, 0, 0);
}

int clinux_epoll_wait(int epoll, int capacity, uint64_t *data, int64_t timeout_nanoseconds) {
    struct epoll_event events[64];
    struct timespec timeout = {
        .tv_sec = timeout_nanoseconds / 1000000000,
        .tv_nsec = timeout_nanoseconds % 1000000000,
    };
    if (capacity > 64) capacity = 64;
    int count = epoll_pwait2(epoll, events, capacity, timeout_nanoseconds < 0 ? NULL : &timeout, NULL);
    if (count < 0 && errno == ENOSYS) {
        // Before Linux 5.11: milliseconds, rounded up so that no timer can be early.
        int64_t milliseconds = timeout_nanoseconds < 0 ? -1 : (timeout_nanoseconds + 999999) / 1000000;
        if (milliseconds > 3600000) milliseconds = 3600000;
        count = epoll_wait(epoll, events, capacity, (int)milliseconds);
    }
    if (count < 0) return -errno;
    for (int i = 0; i < count; i++) data[i] = events[i].data.u64;
    return count;
}

int clinux_eventfd(void) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int clinux_eventfd_signal(int fd) {
    uint64_t one = 1;
    ssize_t count = write(fd, &one, sizeof one);
    return count < 0 && errno != EAGAIN ? -errno : 0;
}

// The least that watching executions costs on this kernel: the process connector, read on a tick, and for each EXEC message
// the calls without which nobody can say what was executed. All that is read is thrown away.
//
// No collector that looks at what it reports can be cheaper, so this is what one is measured against.

#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
// After those that they depend on.
#include <linux/netlink.h>
#include <linux/connector.h>
#include <linux/cn_proc.h>

enum {
    batch_count = 64,
    // The largest message of the connector takes 76 bytes.
    slot_byte_count = 256,
    receive_buffer_byte_count = 8 << 20,
    text_byte_count = 4096,
};

struct counts {
    long messages, execs, verified;
};

static volatile sig_atomic_t is_stopped;

static void stop(int signal) {
    (void)signal;
    is_stopped = 1;
}

static int subscribe(void) {
    const enum proc_cn_mcast_op operation = PROC_CN_MCAST_LISTEN;
    char request[NLMSG_LENGTH(sizeof(struct cn_msg) + sizeof operation)] __attribute__((aligned(8))) = {0};
    struct nlmsghdr *header = (struct nlmsghdr *)request;
    struct cn_msg *message = NLMSG_DATA(header);
    header->nlmsg_len = sizeof request;
    header->nlmsg_type = NLMSG_DONE;
    message->id.idx = CN_IDX_PROC;
    message->id.val = CN_VAL_PROC;
    message->len = sizeof operation;
    memcpy(message->data, &operation, sizeof operation);
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC};
    int byte_count = receive_buffer_byte_count;
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_CONNECTOR);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0
        || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &byte_count, sizeof byte_count) < 0
        || send(fd, request, sizeof request, 0) < 0)
        return -1;
    return fd;
}

static int reads(int directory, const char *name) {
    static char text[text_byte_count];
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t count = read(fd, text, sizeof text);
    close(fd);
    return count > 0;
}

// Whether the process was still there to be asked what it is.
static int look(int proc, int pid) {
    static char target[text_byte_count];
    char name[16];
    snprintf(name, sizeof name, "%d", pid);
    int directory = openat(proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return 0;
    int is_verified = readlinkat(directory, "exe", target, sizeof target) > 0;
    is_verified &= reads(directory, "cmdline");
    is_verified &= reads(directory, "stat");
    close(directory);
    return is_verified;
}

// Takes everything that is queued; 0 when messages were lost, so that the counts say nothing.
static int drain(int fd, int proc, struct counts *counts) {
    static char slots[batch_count][slot_byte_count] __attribute__((aligned(8)));
    struct iovec vectors[batch_count];
    struct mmsghdr headers[batch_count];
    int count;
    do {
        for (int i = 0; i < batch_count; i++) {
            vectors[i] = (struct iovec){slots[i], slot_byte_count};
            headers[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &vectors[i], .msg_iovlen = 1}};
        }
        count = recvmmsg(fd, headers, batch_count, MSG_DONTWAIT, NULL);
        if (count < 0) return errno == EAGAIN || errno == EINTR;
        for (int i = 0; i < count; i++) {
            const struct cn_msg *message = NLMSG_DATA((struct nlmsghdr *)slots[i]);
            const struct proc_event *event = (const struct proc_event *)message->data;
            counts->messages += 1;
            if (event->what != PROC_EVENT_EXEC) continue;
            counts->execs += 1;
            counts->verified += look(proc, event->event_data.exec.process_tgid);
        }
    } while (count == batch_count);
    return 1;
}

static int64_t nanoseconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int bare(long seconds, long tick_us) {
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = subscribe();
    if (proc < 0 || fd < 0) {
        perror("workload bare");
        return 1;
    }
    alarm((unsigned)seconds);
    struct counts counts = {0};
    int64_t due = 0;
    int is_complete = 1;
    while (!is_stopped && is_complete) {
        // A second at most, because a signal that comes just before the wait does not end it.
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        poll(&wait, 1, 1000);
        // From drain to drain, not from the first message on: most processes would be gone by then.
        struct timespec tick = {due / 1000000000, due % 1000000000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &tick, NULL);
        is_complete = drain(fd, proc, &counts);
        due = nanoseconds(CLOCK_MONOTONIC) + tick_us * 1000LL;
    }
    if (!is_complete) {
        fputs("workload bare: messages were lost\n", stderr);
        return 1;
    }
    printf("%ld %ld %ld %lld\n", counts.messages, counts.execs, counts.verified,
        (long long)nanoseconds(CLOCK_PROCESS_CPUTIME_ID));
    return 0;
}

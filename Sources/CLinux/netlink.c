#include "CLinux.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

int clinux_netlink_open(int protocol) {
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    return fd < 0 ? -errno : fd;
}

int clinux_netlink_bind(int fd, uint32_t groups) {
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
    return bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
}

long clinux_netlink_send(int fd, size_t count, const uint8_t *bytes) {
    // Port 0 is the kernel; no group, because multicasting takes a capability.
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    ssize_t sent = sendto(fd, bytes, count, MSG_NOSIGNAL, (struct sockaddr *)&address, sizeof address);
    return sent < 0 ? -errno : sent;
}

int clinux_receive_datagrams(
    int fd, size_t capacity, size_t slot_byte_count, uint8_t *slots, struct clinux_datagram *datagrams) {
    struct mmsghdr headers[CLINUX_DATAGRAM_BATCH];
    struct iovec vectors[CLINUX_DATAGRAM_BATCH];
    struct sockaddr_nl senders[CLINUX_DATAGRAM_BATCH];
    if (capacity > CLINUX_DATAGRAM_BATCH) capacity = CLINUX_DATAGRAM_BATCH;
    for (size_t i = 0; i < capacity; i++) {
        vectors[i] = (struct iovec){.iov_base = slots + i * slot_byte_count, .iov_len = slot_byte_count};
        headers[i] = (struct mmsghdr){.msg_hdr = {
                                          .msg_name = &senders[i],
                                          .msg_namelen = sizeof senders[i],
                                          .msg_iov = &vectors[i],
                                          .msg_iovlen = 1,
                                      }};
    }
    int count = recvmmsg(fd, headers, (unsigned int)capacity, MSG_DONTWAIT, NULL);
    if (count < 0) return -errno;
    for (int i = 0; i < count; i++) {
        int has_sender = headers[i].msg_hdr.msg_namelen == sizeof senders[i];
        datagrams[i] = (struct clinux_datagram){
            .byte_count = headers[i].msg_len,
            // Without a sender's address it is not the kernel.
            .sender_port = has_sender ? senders[i].nl_pid : UINT32_MAX,
            .is_truncated = (headers[i].msg_hdr.msg_flags & MSG_TRUNC) != 0,
        };
    }
    return count;
}

int clinux_set_receive_buffer(int fd, int byte_count, int force) {
    int option = force ? SO_RCVBUFFORCE : SO_RCVBUF;
    return setsockopt(fd, SOL_SOCKET, option, &byte_count, sizeof byte_count) < 0 ? -errno : 0;
}

int clinux_get_receive_buffer(int fd) {
    int byte_count = 0;
    socklen_t size = sizeof byte_count;
    return getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &byte_count, &size) < 0 ? -errno : byte_count;
}

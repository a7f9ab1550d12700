#include "CLinux.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int result(int value) {
    return value < 0 ? -errno : value;
}

/// Fills `address` and gives its size, or -ENAMETOOLONG: the last byte of sun_path is kept for the NUL.
static int path_address(size_t count, const uint8_t *path, struct sockaddr_un *address) {
    if (count == 0 || count >= sizeof address->sun_path) return -ENAMETOOLONG;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, path, count);
    return (int)(offsetof(struct sockaddr_un, sun_path) + count + 1);
}

int clinux_stream_open(void) {
    return result(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

int clinux_notification_open(size_t count, const uint8_t *path) {
    struct sockaddr_un address;
    int size = path_address(count, path, &address);
    if (size < 0) return size;
    if (address.sun_path[0] == '@') {
        // An abstract name: no NUL behind it, and one in front of it (unix(7)).
        address.sun_path[0] = 0;
        size -= 1;
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    if (connect(fd, (struct sockaddr *)&address, (socklen_t)size) < 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

int clinux_stream_bind(int fd, size_t count, const uint8_t *path) {
    struct sockaddr_un address;
    int size = path_address(count, path, &address);
    return size < 0 ? size : result(bind(fd, (struct sockaddr *)&address, (socklen_t)size));
}

int clinux_stream_listen(int fd, int backlog) {
    return result(listen(fd, backlog));
}

int clinux_stream_connect(int fd, size_t count, const uint8_t *path) {
    struct sockaddr_un address;
    int size = path_address(count, path, &address);
    return size < 0 ? size : result(connect(fd, (struct sockaddr *)&address, (socklen_t)size));
}

int clinux_stream_accept(int fd) {
    return result(accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

long clinux_stream_receive(int fd, size_t count, uint8_t *bytes) {
    // Without room for control messages the kernel closes descriptors that come along (unix(7), SCM_RIGHTS).
    ssize_t received = recv(fd, bytes, count, MSG_DONTWAIT);
    return received < 0 ? -errno : received;
}

long clinux_stream_send(int fd, size_t count, const uint8_t *bytes) {
    ssize_t sent = send(fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? -errno : sent;
}

int clinux_peer_credentials(int fd, struct clinux_credentials *credentials) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return -errno;
    *credentials = (struct clinux_credentials){.pid = peer.pid, .uid = peer.uid, .gid = peer.gid};
    return 0;
}

int clinux_peer_groups(int fd, size_t capacity, uint32_t *groups) {
    socklen_t size = (socklen_t)(capacity * sizeof *groups);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0) return -errno;
    return (int)(size / sizeof *groups);
}

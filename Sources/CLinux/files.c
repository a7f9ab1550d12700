#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int opened(int fd) {
    return fd < 0 ? -errno : fd;
}

int clinux_open_path_directory(int directory, const char *path) {
    return opened(openat(directory, path, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

int clinux_open_numbered_directory(int directory, int32_t number) {
    char digits[12];
    char *first = &digits[sizeof digits - 1];
    *first = 0;
    uint32_t rest = number < 0 ? 0 : (uint32_t)number;
    do {
        *--first = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0) return -ENOENT;
    return clinux_open_path_directory(directory, first);
}

int clinux_open_directory(int directory, const char *path) {
    return opened(openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

int clinux_open_read(int directory, const char *path) {
    return opened(openat(directory, path, O_RDONLY | O_CLOEXEC));
}

int clinux_open_read_no_follow(int directory, const char *path) {
    return opened(openat(directory, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
}

int clinux_open_read_at_once(const char *path) {
    return opened(open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

int clinux_open_new(int directory, const char *path) {
    return opened(openat(directory, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
}

int clinux_fill_standard_descriptors(void) {
    for (;;) {
        // The lowest number that is free.
        int fd = open("/dev/null", O_RDWR | O_NOCTTY);
        if (fd < 0) return -errno;
        if (fd > 2) return close(fd) < 0 ? -errno : 0;
    }
}

int clinux_close(int fd) {
    return close(fd) < 0 ? -errno : 0;
}

long clinux_read(int fd, size_t count, uint8_t *bytes) {
    ssize_t result = read(fd, bytes, count);
    return result < 0 ? -errno : result;
}

long clinux_write(int fd, size_t count, const uint8_t *bytes) {
    ssize_t result = write(fd, bytes, count);
    return result < 0 ? -errno : result;
}

long clinux_read_link(int directory, const char *path, size_t count, uint8_t *bytes) {
    ssize_t result = readlinkat(directory, path, (char *)bytes, count);
    return result < 0 ? -errno : result;
}

long clinux_list_directory(int fd, size_t count, uint8_t *entries) {
    long result = syscall(SYS_getdents64, fd, entries, count);
    return result < 0 ? -errno : result;
}

int clinux_status_at(int directory, const char *path, struct clinux_status *status) {
    struct stat buffer;
    if (fstatat(directory, path, &buffer, AT_EMPTY_PATH) < 0) return -errno;
    *status = (struct clinux_status){
        .device = buffer.st_dev,
        .inode = buffer.st_ino,
        .link_count = buffer.st_nlink,
        .size = buffer.st_size < 0 ? 0 : (uint64_t)buffer.st_size,
        .mode = buffer.st_mode,
        .uid = buffer.st_uid,
    };
    return 0;
}

int clinux_make_directory(const char *path, uint32_t mode) {
    return mkdir(path, mode) < 0 ? -errno : 0;
}

int clinux_open_name(int directory, const char *path) {
    return opened(openat(directory, path, O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

int clinux_open_lock_file(int directory, const char *path) {
    const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    return opened(openat(directory, path, flags, 0600));
}

int clinux_lock(int fd) {
    return flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

int clinux_set_mode(int fd, uint32_t mode) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return chmod(path, mode) < 0 ? -errno : 0;
}

int clinux_set_owner(int fd, uint32_t uid, uint32_t gid) {
    return fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

int clinux_synchronise(int fd) {
    return fsync(fd) < 0 ? -errno : 0;
}

int clinux_rename_at(int directory, const char *old_path, const char *new_path) {
    return renameat(directory, old_path, directory, new_path) < 0 ? -errno : 0;
}

int clinux_unlink_at(int directory, const char *path) {
    return unlinkat(directory, path, 0) < 0 ? -errno : 0;
}

int clinux_wait_writable(int fd) {
    struct pollfd entry = {.fd = fd, .events = POLLOUT};
    return poll(&entry, 1, -1) < 0 ? -errno : 0;
}

int clinux_is_terminal(int fd) {
    return isatty(fd) == 1;
}

int clinux_terminal_size(int fd, uint16_t *rows, uint16_t *columns) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0) return -errno;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return 0;
}

static int access_flags(enum clinux_access access) {
    switch (access) {
    case CLINUX_ACCESS_PATH:
        return O_PATH | O_NOFOLLOW;
    case CLINUX_ACCESS_FOLDER:
        return O_RDONLY | O_DIRECTORY;
    case CLINUX_ACCESS_CONTENTS:
        break;
    }
    return O_RDONLY | O_NONBLOCK | O_NOCTTY;
}

int clinux_open_beneath(int directory, const char *path, enum clinux_access access) {
    struct open_how how = {
        .flags = (unsigned)(O_CLOEXEC | access_flags(access)),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    return opened((int)syscall(SYS_openat2, directory, path, &how, sizeof how));
}

int clinux_open_in_root(int root, const char *path) {
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    return opened((int)syscall(SYS_openat2, root, path, &how, sizeof how));
}

int clinux_open_contents(int directory, const char *path) {
    return opened(openat(directory, path, O_CLOEXEC | access_flags(CLINUX_ACCESS_CONTENTS)));
}

int clinux_reopen(int fd, enum clinux_access access) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    // The link itself has to be followed, so that a path is all that this cannot open.
    return opened(open(path, O_CLOEXEC | (access_flags(access) & ~O_NOFOLLOW)));
}

int clinux_file_status_at(int directory, const char *path, struct clinux_file_status *status) {
    struct statx buffer;
    const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH;
    if (statx(directory, path, flags, STATX_BASIC_STATS | STATX_MNT_ID, &buffer) < 0) return -errno;
    *status = (struct clinux_file_status){
        .device = makedev(buffer.stx_dev_major, buffer.stx_dev_minor),
        .inode = buffer.stx_ino,
        .link_count = buffer.stx_nlink,
        .size = buffer.stx_size,
        .mount_id = buffer.stx_mask & STATX_MNT_ID ? buffer.stx_mnt_id : 0,
        .modified_seconds = buffer.stx_mtime.tv_sec,
        .changed_seconds = buffer.stx_ctime.tv_sec,
        .modified_nanoseconds = buffer.stx_mtime.tv_nsec,
        .changed_nanoseconds = buffer.stx_ctime.tv_nsec,
        .mode = buffer.stx_mode,
        .uid = buffer.stx_uid,
        .gid = buffer.stx_gid,
    };
    return 0;
}

long clinux_read_at(int fd, uint64_t offset, size_t count, uint8_t *bytes) {
    ssize_t result = pread(fd, bytes, count, (off_t)offset);
    return result < 0 ? -errno : result;
}

int clinux_is_write_locked(int fd) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_GETLK, &lock) < 0) return -errno;
    return lock.l_type != F_UNLCK;
}

int clinux_inotify_open(void) {
    return opened(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
}

int clinux_inotify_add(int inotify, int fd, uint32_t mask) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return opened(inotify_add_watch(inotify, path, mask));
}

int clinux_inotify_remove(int inotify, int watch) {
    return inotify_rm_watch(inotify, watch) < 0 ? -errno : 0;
}

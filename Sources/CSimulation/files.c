#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int checked(long result) {
    return result < 0 ? -errno : (int)result;
}

int csim_files_begin(const char *folder) {
    // Mount namespaces, working directory and umask belong to threads from here on.
    if (unshare(CLONE_NEWNS) < 0) return -errno;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return -errno;
    if (mount("tmpfs", folder, "tmpfs", 0, "mode=0755") < 0) return -errno;
    if (chdir(folder) < 0 || mkdir("root", 0755) < 0 || chmod("root", 0755) < 0) return -errno;
    umask(0);
    return checked(chdir("root"));
}

int csim_files_end(const char *folder) {
    if (chdir("/") < 0) return -errno;
    return checked(umount2(folder, MNT_DETACH));
}

int csim_files_queue_limit(void) {
    FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
    int limit = 0;
    if (!file) return 0;
    if (fscanf(file, "%d", &limit) != 1) limit = 0;
    fclose(file);
    return limit;
}

/// Writes if there is something to write, and closes.
static int finish(int descriptor, int64_t offset, int32_t count, const uint8_t *bytes) {
    if (descriptor < 0) return -errno;
    int error = 0;
    if (count > 0 && offset < 0) error = checked(write(descriptor, bytes, (size_t)count));
    if (count > 0 && offset >= 0) error = checked(pwrite(descriptor, bytes, (size_t)count, offset));
    close(descriptor);
    return error;
}

int csim_file_create(const char *path, uint32_t mode, int32_t count, const uint8_t *bytes) {
    return finish(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode), -1, count, bytes);
}

int csim_file_write_at(const char *path, int64_t offset, int32_t count, const uint8_t *bytes) {
    return finish(open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | (offset < 0 ? O_APPEND : 0)), offset, count, bytes);
}

int csim_file_replace(const char *path, int32_t count, const uint8_t *bytes) {
    return finish(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC, 0644), -1, count, bytes);
}

int csim_file_hold(const char *path) {
    return checked(open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC));
}

int csim_file_put(int32_t descriptor, int32_t count, const uint8_t *bytes) {
    return checked(write(descriptor, bytes, (size_t)count));
}

int csim_file_truncate(const char *path, int64_t size) {
    return checked(truncate(path, size));
}

int csim_file_read(const char *path) {
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) return -errno;
    char byte;
    int error = checked(read(descriptor, &byte, 1));
    close(descriptor);
    return error;
}

int csim_file_map(const char *path, int32_t count, const uint8_t *bytes) {
    int descriptor = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) return -errno;
    void *memory = mmap(NULL, (size_t)count, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    int error = memory == MAP_FAILED ? -errno : 0;
    if (memory != MAP_FAILED) {
        memcpy(memory, bytes, (size_t)count);
        error = checked(msync(memory, (size_t)count, MS_SYNC));
        munmap(memory, (size_t)count);
    }
    close(descriptor);
    return error;
}

int csim_file_chmod(const char *path, uint32_t mode) {
    return checked(chmod(path, mode));
}

int csim_file_chown(const char *path, uint32_t uid, uint32_t gid) {
    return checked(lchown(path, uid, gid));
}

int csim_file_touch(const char *path, int64_t seconds) {
    const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    return checked(utimensat(AT_FDCWD, path, times, 0));
}

int csim_file_rename(const char *old_path, const char *new_path, enum csim_rename mode) {
    unsigned flags = mode == CSIM_RENAME_KEEP ? RENAME_NOREPLACE : mode == CSIM_RENAME_EXCHANGE ? RENAME_EXCHANGE : 0;
    return checked(renameat2(AT_FDCWD, old_path, AT_FDCWD, new_path, flags));
}

int csim_file_link(const char *old_path, const char *new_path) {
    return checked(link(old_path, new_path));
}

int csim_file_symlink(const char *target, const char *path) {
    return checked(symlink(target, path));
}

int csim_file_make_folder(const char *path, uint32_t mode) {
    return checked(mkdir(path, mode));
}

int csim_file_make_node(const char *path, enum csim_node node) {
    const mode_t type = node == CSIM_NODE_FIFO ? S_IFIFO : node == CSIM_NODE_SOCKET ? S_IFSOCK : S_IFCHR;
    return checked(mknod(path, type | 0644, node == CSIM_NODE_DEVICE ? makedev(1, 3) : 0));
}

int csim_file_mount(const char *path) {
    return checked(mount("tmpfs", path, "tmpfs", 0, "mode=0755"));
}

int csim_file_bind(const char *old_path, const char *new_path) {
    return checked(mount(old_path, new_path, NULL, MS_BIND, NULL));
}

int csim_file_unmount(const char *path, int32_t is_lazy) {
    return checked(umount2(path, is_lazy ? MNT_DETACH : 0));
}

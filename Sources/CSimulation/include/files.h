#ifndef CSIM_FILES_H
#define CSIM_FILES_H

// What the cases about files do on the real kernel. Relative paths begin at the working directory of the calling thread.
// Nothing waits for the other end of a FIFO.
// Every function returns 0 or more, or a negated errno.

#include <stdint.h>

/// Gives the calling thread, and no other, a mount namespace with a tmpfs over `folder`, and `root` in it as its working
/// directory, without a umask.
int csim_files_begin(const char *folder);
/// Takes the tmpfs away.
int csim_files_end(const char *folder);
/// fs.inotify.max_queued_events; 0 when it cannot be read.
int csim_files_queue_limit(void);

/// A new file, open while it is written to; without bytes nothing is written.
int csim_file_create(const char *path, uint32_t mode, int32_t count, const uint8_t *bytes);
/// At the end if `offset` is negative.
int csim_file_write_at(const char *path, int64_t offset, int32_t count, const uint8_t *bytes);
/// O_CREAT | O_TRUNC
int csim_file_replace(const char *path, int32_t count, const uint8_t *bytes);
/// A descriptor open for appending.
int csim_file_hold(const char *path);
int csim_file_put(int32_t descriptor, int32_t count, const uint8_t *bytes);
int csim_file_truncate(const char *path, int64_t size);
int csim_file_read(const char *path);
/// Writes through a shared mapping.
int csim_file_map(const char *path, int32_t count, const uint8_t *bytes);
int csim_file_chmod(const char *path, uint32_t mode);
int csim_file_chown(const char *path, uint32_t uid, uint32_t gid);
/// Sets the times of access and modification.
int csim_file_touch(const char *path, int64_t seconds);

enum csim_rename { CSIM_RENAME_REPLACE, CSIM_RENAME_KEEP, CSIM_RENAME_EXCHANGE };
int csim_file_rename(const char *old_path, const char *new_path, enum csim_rename mode);
int csim_file_link(const char *old_path, const char *new_path);
int csim_file_symlink(const char *target, const char *path);
int csim_file_make_folder(const char *path, uint32_t mode);
/// A device is the null device, 1:3.
enum csim_node { CSIM_NODE_FIFO, CSIM_NODE_SOCKET, CSIM_NODE_DEVICE };
int csim_file_make_node(const char *path, enum csim_node node);

/// An empty tmpfs.
int csim_file_mount(const char *path);
int csim_file_bind(const char *old_path, const char *new_path);
int csim_file_unmount(const char *path, int32_t is_lazy);

#endif

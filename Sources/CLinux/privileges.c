#include "CLinux.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int control(int option, unsigned long first, unsigned long second) {
    int result = prctl(option, first, second, 0, 0);
    return result < 0 ? -errno : result;
}

int clinux_set_no_new_privileges(void) {
    return control(PR_SET_NO_NEW_PRIVS, 1, 0);
}

int clinux_set_dumpable(int is_dumpable) {
    return control(PR_SET_DUMPABLE, is_dumpable != 0, 0);
}

int clinux_set_keep_capabilities(int is_kept) {
    return control(PR_SET_KEEPCAPS, is_kept != 0, 0);
}

int clinux_bounding_set_has(int capability) {
    return control(PR_CAPBSET_READ, (unsigned long)capability, 0);
}

int clinux_bounding_set_drop(int capability) {
    return control(PR_CAPBSET_DROP, (unsigned long)capability, 0);
}

int clinux_ambient_clear(void) {
    return control(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0);
}

static uint64_t joined(uint32_t low, uint32_t high) {
    return (uint64_t)low | (uint64_t)high << 32;
}

int clinux_get_capabilities(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0) return -errno;
    *effective = joined(data[0].effective, data[1].effective);
    *permitted = joined(data[0].permitted, data[1].permitted);
    *inheritable = joined(data[0].inheritable, data[1].inheritable);
    return 0;
}

int clinux_set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
        {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)},
    };
    return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

// The raw calls, because the wrappers of glibc signal every other thread, and these are for the only thread.

int clinux_clear_groups(void) {
    return syscall(SYS_setgroups, 0, NULL) < 0 ? -errno : 0;
}

int clinux_set_group(uint32_t gid) {
    return syscall(SYS_setresgid, gid, gid, gid) < 0 ? -errno : 0;
}

int clinux_set_user(uint32_t uid) {
    return syscall(SYS_setresuid, uid, uid, uid) < 0 ? -errno : 0;
}

int clinux_lock_secure_bits(void) {
    return control(
        PR_SET_SECUREBITS,
        SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |
            SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED,
        0);
}

// What both ends of a puppet's channel know.
#ifndef CSIMULATION_PUPPET_PRIVATE_H
#define CSIMULATION_PUPPET_PRIVATE_H

#include "include/puppet.h"

#include <errno.h>
#include <stddef.h>

// The descriptor of a puppet's channel, in its environment.
#define CHANNEL_VARIABLE "COLLECTOR_SIM_PUPPET"
// The first variable of a puppet's environment: a known text behind the argument area.
#define FIRST_VARIABLE "ENVV=leak"
// Longest request, its NUL included: an argument of 100 kB fits, a socket's default buffer too.
#define REQUEST_BYTE_COUNT (160 * 1024)
// Shorter than what the driver allows for one action.
#define TIMEOUT_MILLISECONDS 20000

struct puppet_answer {
    int32_t error;
    int32_t value;
};

static inline long checked(long result) { return result < 0 ? -errno : result; }

// Copies the running program into a descriptor.
__attribute__((visibility("hidden"))) long puppet_copy_program(int target);

#endif

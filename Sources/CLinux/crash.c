#include "CLinux.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

// Everything that the handler reads is written before it is installed, and never again.

enum {
    IDENTITY_BYTE_COUNT = 256,
    CALL_COUNT = 512,
    CALL_NAME_BYTE_COUNT = 24,
    MODULE_COUNT = 32,
    MODULE_NAME_BYTE_COUNT = 32,
    LINE_BYTE_COUNT = 1024,
    BUILD_ID_BYTE_COUNT = 20,
    STACK_COUNT = 64,
    STACK_BYTE_COUNT = 32768,
    /// Words of the stack that are searched for whoever called.
    CALLER_WORD_COUNT = 64,
};

/// A program or library, where its code lies.
struct module {
    uintptr_t base;
    uintptr_t first;
    uintptr_t last;
    char name[MODULE_NAME_BYTE_COUNT];
};

static char identity[IDENTITY_BYTE_COUNT];
static char build_id[2 * BUILD_ID_BYTE_COUNT + 1];
static char call_names[CALL_COUNT][CALL_NAME_BYTE_COUNT];
static struct module modules[MODULE_COUNT];
static size_t module_count;
static int evidence_file = -1;
static atomic_flag is_told = ATOMIC_FLAG_INIT;

// MARK: One line of JSON, without libc

struct line {
    size_t count;
    char bytes[LINE_BYTE_COUNT];
};

static void append(struct line *line, const char *text) {
    // One byte is kept for the end of the line.
    while (*text != 0 && line->count < LINE_BYTE_COUNT - 1) line->bytes[line->count++] = *text++;
}

/// Text that somebody else may have chosen: what JSON would have to escape becomes a question mark.
static void append_text(struct line *line, const char *text) {
    for (; *text != 0; text++) {
        int is_plain = *text >= 0x20 && *text < 0x7f && *text != '"' && *text != '\\';
        append(line, (char[]){is_plain ? *text : '?', 0});
    }
}

static void append_decimal(struct line *line, int64_t value) {
    char digits[24];
    char *first = &digits[sizeof digits - 1];
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    *first = 0;
    do {
        *--first = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0) *--first = '-';
    append(line, first);
}

static void append_hexadecimal(struct line *line, uint64_t value) {
    char digits[20];
    char *first = &digits[sizeof digits - 1];
    *first = 0;
    do {
        *--first = "0123456789abcdef"[value % 16];
        value /= 16;
    } while (value > 0);
    append(line, "\"0x");
    append(line, first);
    append(line, "\"");
}

static void append_number(struct line *line, const char *key, int64_t value) {
    append(line, ",\"");
    append(line, key);
    append(line, "\":");
    append_decimal(line, value);
}

static void append_string(struct line *line, const char *key, const char *value) {
    append(line, ",\"");
    append(line, key);
    append(line, "\":\"");
    append_text(line, value);
    append(line, "\"");
}

static void append_address(struct line *line, const char *key, uintptr_t address) {
    append(line, ",\"");
    append(line, key);
    append(line, "\":");
    append_hexadecimal(line, address);
}

// MARK: What happened

static const char *signal_name(int signal) {
    switch (signal) {
    case SIGSEGV: return "SIGSEGV";
    case SIGBUS: return "SIGBUS";
    case SIGILL: return "SIGILL";
    case SIGFPE: return "SIGFPE";
    case SIGTRAP: return "SIGTRAP";
    case SIGABRT: return "SIGABRT";
    case SIGSYS: return "SIGSYS";
    default: return "?";
    }
}

static const struct module *module_of(uintptr_t address) {
    for (size_t i = 0; i < module_count; i++) {
        if (address >= modules[i].first && address < modules[i].last) return &modules[i];
    }
    return NULL;
}

static uintptr_t instruction(const ucontext_t *context) {
#if defined(__x86_64__)
    return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)context->uc_mcontext.pc;
#endif
}

static uintptr_t stack_pointer(const ucontext_t *context) {
#if defined(__x86_64__)
    return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
    return (uintptr_t)context->uc_mcontext.sp;
#endif
}

static void append_place(struct line *line, uintptr_t address) {
    const struct module *module = module_of(address);
    if (module == NULL) {
        append_address(line, "instruction", address);
        return;
    }
    append_string(line, "module", module->name);
    append_address(line, "offset", address - module->base);
}

/// The first word of the stack that lies in the program's own code: most likely who called libc.
static void append_caller(struct line *line, const ucontext_t *context) {
#if defined(__aarch64__)
    if (module_of((uintptr_t)context->uc_mcontext.regs[30]) == &modules[0]) {
        append_address(line, "caller", (uintptr_t)context->uc_mcontext.regs[30] - modules[0].base);
        return;
    }
#endif
    const uintptr_t *words = (const uintptr_t *)(stack_pointer(context) & ~(sizeof(uintptr_t) - 1));
    for (size_t i = 0; i < CALLER_WORD_COUNT; i++) {
        // A stack grows down, to the end of its page at the least.
        if (i > 0 && ((uintptr_t)&words[i] & 4095) == 0) return;
        if (module_of(words[i]) != &modules[0]) continue;
        append_address(line, "caller", words[i] - modules[0].base);
        return;
    }
}

static void append_cause(struct line *line, const siginfo_t *information, const ucontext_t *context) {
    append_number(line, "code", information->si_code);
    if (information->si_signo == SIGSYS && information->si_code > 0) {
        int number = information->si_syscall;
        append_number(line, "call", number);
        if (number >= 0 && number < CALL_COUNT && call_names[number][0] != 0) {
            append_string(line, "call_name", call_names[number]);
        }
        append_address(line, "architecture", information->si_arch);
        append_caller(line, context);
    } else if (information->si_code > 0) {
        append_address(line, "address", (uintptr_t)information->si_addr);
    } else {
        // Somebody sent it, as abort(3) does.
        append_number(line, "sender", information->si_pid);
        if (information->si_signo == SIGABRT) append_caller(line, context);
    }
}

static void tell(const siginfo_t *information, const ucontext_t *context) {
    struct line line;
    line.count = 0;
    char thread[16] = "";
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    prctl(PR_GET_NAME, thread, 0, 0, 0);
    append(&line, identity);
    if (build_id[0] != 0) append_string(&line, "build_id", build_id);
    append_number(&line, "time", now.tv_sec);
    append_number(&line, "pid", syscall(SYS_getpid));
    append_number(&line, "tid", syscall(SYS_gettid));
    append_string(&line, "thread", thread);
    append_string(&line, "signal", signal_name(information->si_signo));
    append_cause(&line, information, context);
    append_place(&line, instruction(context));
    append(&line, "}");
    line.bytes[line.count++] = '\n';
    // Nobody is left who could be told that a write failed.
    if (evidence_file >= 0 && write(evidence_file, line.bytes, line.count) < 0) {}
    if (write(2, line.bytes, line.count) < 0) {}
}

static void handle(int signal, siginfo_t *information, void *context) {
    if (!atomic_flag_test_and_set(&is_told)) {
        tell(information, context);
    } else {
        // Another thread is telling; this one must not end the process before it has.
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    // The default is in force again (SA_RESETHAND); the signal comes when this returns, so that the process ends by it.
    syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), signal);
}

// MARK: Preparing

static void read_build_id(const char *notes, size_t count) {
    while (count >= sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)notes;
        size_t name = ((size_t)note->n_namesz + 3) & ~(size_t)3;
        size_t size = sizeof *note + name + (((size_t)note->n_descsz + 3) & ~(size_t)3);
        if (size > count) return;
        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && memcmp(note + 1, "GNU", 4) == 0) {
            const uint8_t *bytes = (const uint8_t *)(note + 1) + name;
            for (size_t i = 0; i < note->n_descsz && i < BUILD_ID_BYTE_COUNT; i++) {
                build_id[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
                build_id[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
            }
            return;
        }
        notes += size;
        count -= size;
    }
}

static int add_module(struct dl_phdr_info *information, size_t size, void *program) {
    (void)size;
    if (module_count == MODULE_COUNT) return 1;
    struct module *module = &modules[module_count];
    const char *name = information->dlpi_name[0] == 0 ? program : information->dlpi_name;
    const char *slash = strrchr(name, '/');
    strncpy(module->name, slash == NULL ? name : slash + 1, sizeof module->name - 1);
    module->base = information->dlpi_addr;
    for (int i = 0; i < information->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &information->dlpi_phdr[i];
        uintptr_t first = information->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_LOAD && (header->p_flags & PF_X) != 0) {
            module->first = first;
            module->last = first + header->p_memsz;
        }
        if (module_count == 0 && header->p_type == PT_NOTE && build_id[0] == 0) {
            read_build_id((const char *)first, header->p_memsz);
        }
    }
    module_count++;
    return 0;
}

void clinux_crash_set_call_name(int number, const char *name) {
    if (number < 0 || number >= CALL_COUNT) return;
    strncpy(call_names[number], name, CALL_NAME_BYTE_COUNT - 1);
}

int clinux_crash_handle(const char *description, const char *program, int file) {
    if (strlen(description) >= sizeof identity) return -EINVAL;
    strcpy(identity, description);
    evidence_file = file;
    module_count = 0;
    dl_iterate_phdr(add_module, (void *)program);
    clinux_alternate_stack_take();
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND};
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        if (sigaction(signals[i], &action, NULL) < 0) return -errno;
    }
    return 0;
}

// MARK: Stacks for a thread whose own is full

/// Pages that nobody uses cost nothing.
static uint8_t stacks[STACK_COUNT][STACK_BYTE_COUNT] __attribute__((aligned(4096)));
static _Atomic uint64_t taken;
static _Thread_local int own_stack = -1;

void clinux_alternate_stack_take(void) {
    uint64_t before = atomic_load(&taken);
    while (own_stack < 0 && before != UINT64_MAX) {
        int index = __builtin_ctzll(~before);
        if (!atomic_compare_exchange_weak(&taken, &before, before | (uint64_t)1 << index)) continue;
        own_stack = index;
        stack_t stack = {.ss_sp = stacks[index], .ss_size = STACK_BYTE_COUNT};
        sigaltstack(&stack, NULL);
    }
}

void clinux_alternate_stack_give_back(void) {
    if (own_stack < 0) return;
    stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL);
    atomic_fetch_and(&taken, ~((uint64_t)1 << own_stack));
    own_stack = -1;
}

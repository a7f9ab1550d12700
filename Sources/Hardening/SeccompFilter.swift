import CLinux
import CSeccomp
import Glibc

import struct SystemPackage.Errno

/// A filter of system calls in force on all threads of the process, for good (`seccomp(2)`).
package struct SeccompFilter: Hashable, Sendable {
    /// What happens to a call that no rule allows and no refusal names.
    package enum Action: Hashable, Sendable {
        /// It goes through, and the kernel writes an audit record (`type=1326`).
        case log
        /// It is not carried out, and the process ends with `SIGSYS`.
        ///
        /// `SECCOMP_RET_TRAP` rather than `SECCOMP_RET_KILL_PROCESS`: the kernel runs no handler for the latter, so that
        /// nobody would learn which call it was. The call is refused by either. The handler of ``CrashEvidence`` tells, and
        /// ends the process; without one, or where the signal is blocked, the kernel ends it. Whoever has taken the process
        /// over cannot put another handler in its place: `rt_sigaction(2)` is allowed for signals of libc only.
        case enforce

        var code: UInt32 {
            switch self {
            case .log: 0x7ffc_0000
            case .enforce: 0x0003_0000
            }
        }
    }

    /// `SCMP_ACT_ALLOW`.
    private static let allow: UInt32 = 0x7fff_0000
    /// Calls that the kernel gets after this library was made, as far as anybody can foresee: libc probes new ones, and
    /// falls back on others when they fail with `ENOSYS`.
    private static let futureCallCount: Int32 = 64
    /// Numbers are dense up to the newest, and below this.
    private static let numberLimit: Int32 = 1_024

    package let action: Action
    /// How many rules are in force.
    package let allowedCount: Int
    /// Names of the policy that this processor architecture does not have; they are neither allowed nor needed.
    package let unknownNames: [String]

    /// Installs the filter on all threads; also sets `no_new_privs`.
    ///
    /// - Throws: `ENOSYS` or `EINVAL` on kernels without seccomp filters; `ESRCH` or `EACCES` when a thread cannot follow.
    package static func install(_ policy: SyscallPolicy, action: Action) throws(HardeningError)
        -> SeccompFilter
    {
        guard let context = unsafe seccomp_init(action.code) else {
            throw HardeningError("make a seccomp filter", .noMemory)
        }
        defer { unsafe seccomp_release(context) }
        func set(_ attribute: scmp_filter_attr, _ value: UInt32) throws(HardeningError) {
            try HardeningError.check("configure seccomp", unsafe seccomp_attr_set(context, attribute, value))
        }
        try set(SCMP_FLTATR_CTL_TSYNC, 1)
        // Calls of another architecture would slip past the numbers of this one.
        try set(SCMP_FLTATR_ACT_BADARCH, action.code)

        var unknownNames: [String] = []
        for rule in policy.filteredRules {
            if let number = number(of: rule.name) {
                try unsafe allow(rule, number, in: context)
            } else {
                unknownNames.append(rule.name)
            }
        }
        for refusal in policy.refusals {
            guard let number = number(of: refusal.name) else { continue }
            let code = refusalCode(refusal.errno)
            try unsafe add(refusal.matches ?? [], code, number, refusal.name, to: context)
        }
        try unsafe refuseFutureCalls(in: context)
        try HardeningError.check("load the seccomp filter", unsafe seccomp_load(context))
        return SeccompFilter(
            action: action, allowedCount: policy.filteredRules.count - unknownNames.count,
            unknownNames: unknownNames)
    }

    /// The name of a call of this processor architecture; `nil` for a number without one.
    package static func name(ofCall number: Int32) -> String? {
        guard let name = unsafe seccomp_syscall_resolve_num_arch(seccomp_arch_native(), number) else {
            return nil
        }
        defer { unsafe free(name) }
        return unsafe String(cString: name)
    }

    /// Whether a processor architecture has a call of this name, by its token (`SCMP_ARCH_AARCH64`).
    package static func hasCall(_ name: String, architecture: UInt32) -> Bool {
        unsafe name.withCString { unsafe seccomp_syscall_resolve_name_arch(architecture, $0) } >= 0
    }

    /// The number of a call; `nil` for one that this processor architecture does not have.
    package static func number(of name: String) -> Int32? {
        // Negative numbers stand for unknown calls and for calls of other architectures.
        let number = unsafe name.withCString { unsafe seccomp_syscall_resolve_name($0) }
        return number < 0 ? nil : number
    }

    /// `SCMP_ACT_ERRNO`.
    private static func refusalCode(_ errno: Int32) -> UInt32 { 0x0005_0000 | UInt32(errno & 0xffff) }

    private static func allow(
        _ rule: SyscallPolicy.Rule, _ number: Int32, in context: scmp_filter_ctx
    ) throws(HardeningError) {
        for matches in rule.arguments ?? [[]] {
            try unsafe add(matches, allow, number, rule.name, to: context)
        }
    }

    private static func add(
        _ matches: [SyscallPolicy.Match], _ code: UInt32, _ number: Int32, _ name: String,
        to context: scmp_filter_ctx
    ) throws(HardeningError) {
        let comparisons = matches.map { match in
            switch match.value {
            case .equal(let value):
                scmp_arg_cmp(arg: match.argument, op: SCMP_CMP_EQ, datum_a: value, datum_b: 0)
            case .masked(let mask, let value):
                scmp_arg_cmp(arg: match.argument, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value)
            case .ownProcess:
                scmp_arg_cmp(
                    arg: match.argument, op: SCMP_CMP_EQ, datum_a: UInt64(clinux_process_id()), datum_b: 0)
            }
        }
        try HardeningError.check(
            "set the rule for \(name)",
            unsafe comparisons.withUnsafeBufferPointer { buffer in
                unsafe seccomp_rule_add_array(context, code, number, UInt32(buffer.count), buffer.baseAddress)
            })
    }

    private static func refuseFutureCalls(in context: scmp_filter_ctx) throws(HardeningError) {
        guard let newest = (0..<numberLimit).last(where: { name(ofCall: $0) != nil }) else { return }
        for number in newest + 1...newest + futureCallCount {
            try unsafe add([], refusalCode(Errno.noFunction.rawValue), number, "call \(number)", to: context)
        }
    }
}

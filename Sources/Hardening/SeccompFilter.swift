import CSeccomp

import struct SystemPackage.Errno

/// A filter of system calls in force on all threads of the process, for good (`seccomp(2)`).
package struct SeccompFilter: Hashable, Sendable {
    /// What happens to a call that no rule allows.
    package enum Action: Hashable, Sendable {
        /// It goes through, and the kernel writes an audit record (`type=1326`).
        case log
        /// It kills the process with `SIGSYS`.
        case kill
        /// It fails with this number.
        case errno(Int32)

        var code: UInt32 {
            switch self {
            case .log: 0x7ffc_0000
            case .kill: 0x8000_0000
            case .errno(let number): 0x0005_0000 | UInt32(number & 0xffff)
            }
        }
    }

    /// `SCMP_ACT_ALLOW`.
    private static let allow: UInt32 = 0x7fff_0000

    package let action: Action
    /// How many calls are allowed.
    package let allowedCount: Int
    /// Names of the policy that this system does not have; they are neither allowed nor needed.
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
        for rule in policy.rules {
            if let number = number(of: rule.name) {
                try unsafe add(rule, number, to: context)
            } else {
                unknownNames.append(rule.name)
            }
        }
        for refusal in policy.refusals {
            let code = Action.errno(refusal.errno).code
            // The library refuses a rule that says what happens anyway.
            guard let number = number(of: refusal.name), code != action.code else { continue }
            try HardeningError.check(
                "refuse \(refusal.name)", unsafe seccomp_rule_add_array(context, code, number, 0, nil))
        }
        try HardeningError.check("load the seccomp filter", unsafe seccomp_load(context))
        return SeccompFilter(
            action: action, allowedCount: policy.rules.count - unknownNames.count, unknownNames: unknownNames)
    }

    /// Negative numbers stand for unknown calls and for calls of other architectures.
    private static func number(of name: String) -> Int32? {
        let number = unsafe name.withCString { unsafe seccomp_syscall_resolve_name($0) }
        return number < 0 ? nil : number
    }

    private static func add(
        _ rule: SyscallPolicy.Rule, _ number: Int32, to context: scmp_filter_ctx
    ) throws(HardeningError) {
        guard let restriction = rule.restriction else {
            try HardeningError.check(
                "allow \(rule.name)", unsafe seccomp_rule_add_array(context, allow, number, 0, nil))
            return
        }
        for value in restriction.values {
            let comparison = scmp_arg_cmp(
                arg: restriction.argument, op: SCMP_CMP_EQ, datum_a: value, datum_b: 0)
            try HardeningError.check(
                "allow \(rule.name)",
                unsafe withUnsafePointer(to: comparison) { comparison in
                    unsafe seccomp_rule_add_array(context, allow, number, 1, comparison)
                })
        }
    }
}

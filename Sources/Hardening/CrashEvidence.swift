import CLinux

/// What a process that ends by a fault of its own, or by a forbidden call, says with its last breath.
///
/// One line of JSON on standard error, and in a file that is already open: which signal, which thread, where in which
/// executable or library (`llvm-symbolizer --obj=FILE OFFSET` then finds the line), and for a forbidden call its name.
/// Swift's own backtracer would start another process and read this one's memory, both of which the sandbox forbids;
/// and memory holds what processes of others were told as arguments.
package enum CrashEvidence {
    /// Takes over `SIGSEGV`, `SIGBUS`, `SIGILL`, `SIGFPE`, `SIGTRAP`, `SIGABRT` and `SIGSYS`; the process still ends by them.
    ///
    /// To be called before other threads exist and before the filter, which lets nobody change it.
    /// - Parameters:
    ///   - program: The executable's name, and its version: short, and without quotation marks.
    ///   - file: A descriptor that stays open; `nil` for standard error alone.
    package static func install(program: String, version: String, file: Int32?) throws(HardeningError) {
        var number: Int32 = 0
        while number < callCount {
            if let name = SeccompFilter.name(ofCall: number) {
                unsafe clinux_crash_set_call_name(number, name)
            }
            number += 1
        }
        let beginning = #"{"record":"crash","program":"\#(program)","version":"\#(version)""#
        try HardeningError.check(
            "handle crashes", unsafe clinux_crash_handle(beginning, program, file ?? -1))
    }

    /// As many names as there is room for in the handler; the newest call of Linux 6.18 has number 469.
    private static let callCount: Int32 = 512
}

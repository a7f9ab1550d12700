import ArgumentParser
import Hardening

struct SandboxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox",
        abstract: "Show every system call that the daemon may make, and why.",
        discussion: """
            The same table makes the filter of hardening.seccomp, the list of the service unit, and this text. A call \
            that is in neither table ends the daemon.
            """)

    func run() { print(SyscallPolicy.collector.markdown, terminator: "") }
}

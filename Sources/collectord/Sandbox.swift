import ArgumentParser
import CollectorHost

struct Sandbox: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show every system call that the daemon may make, and why.",
        discussion: """
            The same table makes the filter of hardening.seccomp, the list of the service unit, and this text. A call \
            that is in neither table ends the daemon.
            """)

    func run() { print(CollectorHost.systemCalls, terminator: "") }
}

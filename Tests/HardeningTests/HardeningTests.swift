import Backends
import Glibc
import Hardening
import LinuxBackends
import Testing

import struct SystemPackage.Errno

private let isRoot = geteuid() == 0

struct CapabilityTests {
    @Test(
        arguments: [("CAP_NET_ADMIN", 12), ("net_admin", 12), ("Cap_Chown", 0), ("CHECKPOINT_RESTORE", 40)]
            as [(String, UInt8)])
    func `capabilities are known by name`(name: String, number: UInt8) {
        #expect(Capability(name: name)?.rawValue == number)
    }

    @Test(arguments: ["", "CAP_", "ADMIN", "CAP_CAP_CHOWN", "12"])
    func `unknown names are refused`(name: String) {
        #expect(Capability(name: name) == nil)
    }

    @Test func `every number has a name that reads back`() {
        for number in UInt8(0)...40 {
            let capability = Capability(rawValue: number)
            #expect(Capability(name: capability.description) == capability)
        }
        #expect(Capability(rawValue: 63).description == "CAP_63")
    }

    @Test func `a set is a mask, printed in order`() {
        let set: CapabilitySet = [.sysPtrace, .netAdmin]
        #expect(set.rawValue == 1 << 19 | 1 << 12)
        #expect(set.description == "CAP_NET_ADMIN,CAP_SYS_PTRACE")
        #expect(CapabilitySet(rawValue: 0).description == "none")
        #expect(set.contains(.netAdmin) && !set.contains(.setUID))
        #expect(set.subtracting([.netAdmin]) == [.sysPtrace])
    }

    @Test(arguments: ["", "-1", "+1", "g", "10000000000000000", "0x1"])
    func `malformed masks are refused`(text: String) {
        #expect(CapabilitySet(hexadecimal: text) == nil)
    }

    @Test func `masks are read as the kernel writes them`() {
        #expect(CapabilitySet(hexadecimal: "000001fffeffffff")?.contains(Capability(rawValue: 24)) == false)
        #expect(CapabilitySet(hexadecimal: "ffffffffffffffff")?.members.count == 64)
    }
}

struct PrivilegeReportTests {
    private static func status(
        effective: String = "0000000000081000", newPrivileges: Int = 1, seccomp: Int = 2
    ) -> String {
        """
        Name:\tSeccomp:\t0
        Uid:\t0\t65534\t0\t0
        Gid:\t0\t7\t0\t0
        CapInh:\t0000000000000000
        CapPrm:\t0000000000081000
        CapEff:\t\(effective)
        CapBnd:\t000001ffffffffff
        CapAmb:\t0000000000000000
        NoNewPrivs:\t\(newPrivileges)
        Seccomp:\t\(seccomp)

        """
    }

    @Test func `a status file is read`() throws {
        let report = try #require(PrivilegeReport(status: Self.status()))
        #expect(report.effective == [.netAdmin, .sysPtrace])
        #expect(report.uid == 65_534)
        #expect(report.gid == 7)
        #expect(report.noNewPrivileges)
        #expect(report.seccompMode == .filter)
    }

    @Test func `a missing or malformed field makes the report fail`() {
        let lines = Self.status().split(separator: "\n")
        for index in 1..<lines.count {
            var cut = lines
            cut.remove(at: index)
            #expect(PrivilegeReport(status: cut.joined(separator: "\n")) == nil)
            cut = lines
            cut[index] = cut[index].prefix { $0 != "\t" } + "\tx"
            #expect(PrivilegeReport(status: cut.joined(separator: "\n")) == nil)
        }
    }

    @Test func `the weakest thread counts`() throws {
        let strong = try #require(PrivilegeReport(status: Self.status(effective: "0", newPrivileges: 1)))
        let weak = try #require(
            PrivilegeReport(status: Self.status(effective: "1", newPrivileges: 0, seccomp: 0)))
        let both = strong.weaker(weak)
        #expect(both.effective.rawValue == 1)
        #expect(!both.noNewPrivileges)
        #expect(both.seccompMode == .disabled)
        #expect(both.threadCount == 2)
    }

    @Test func `the report of this process covers its threads`() throws {
        let report = try PrivilegeReport.ofProcess()
        #expect(report.threadCount >= 1)
        #expect(report.uid == geteuid())
    }
}

@Suite(.enabled(if: isRoot, "only root has privileges to give up"), .timeLimit(.minutes(10)))
struct PrivilegeReductionTests {
    @Test func `what is given up is gone and does not come back`() async {
        await #expect(processExitsWith: .success) {
            let account = PrivilegeReduction.Account(uid: 65_534, gid: 65_534)
            try PrivilegeReduction.reduceThread(keeping: [.netAdmin, .sysPtrace], account: account)
            let report = try PrivilegeReport.ofThread()
            #expect(report.effective == [.netAdmin, .sysPtrace])
            #expect(report.permitted == report.effective)
            #expect(report.bounding == report.effective)
            #expect(report.inheritable.isEmpty && report.ambient.isEmpty)
            #expect(report.noNewPrivileges)
            #expect(report.uid == 65_534 && report.gid == 65_534)
            #expect(throws: HardeningError("keep capabilities", .notPermitted)) {
                let root = PrivilegeReduction.Account(uid: 0, gid: 0)
                try PrivilegeReduction.reduceThread(keeping: [], account: root)
            }
            #expect(unsafe chroot("/") == -1)
            #expect(unsafe open("/etc/shadow", O_RDONLY) == -1)
            // Asking for more than is left leaves what is left.
            try PrivilegeReduction.reduceThread(keeping: CapabilitySet(rawValue: .max), account: nil)
            let last = try PrivilegeReport.ofThread()
            #expect(last.effective == [.netAdmin, .sysPtrace])
            #expect(last.uid == 65_534)
        }
    }

    @Test func `root without capabilities gains none by executing a program`() async {
        await #expect(processExitsWith: .success) {
            try PrivilegeReduction.reduceThread(keeping: [], account: nil)
            let report = try PrivilegeReport.ofThread()
            #expect(report.uid == 0)
            #expect(report.effective.isEmpty && report.permitted.isEmpty && report.bounding.isEmpty)
            var pid: pid_t = 0
            let command = ["/bin/sh", "-c", "grep -q '^CapEff:.0000000000000000$' /proc/self/status"]
            var arguments = unsafe command.map { unsafe strdup($0) }
            unsafe arguments.append(nil)
            #expect(unsafe posix_spawn(&pid, "/bin/sh", nil, nil, arguments, environ) == 0)
            var status: Int32 = -1
            #expect(unsafe waitpid(pid, &status, 0) == pid)
            #expect(status == 0)
        }
    }

    @Test func `a process with several threads is refused, because the others would keep everything`() async {
        await #expect(processExitsWith: .success) {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { await Task.yield() } }
            }
            #expect(throws: HardeningError.self) {
                try PrivilegeReduction.reduceProcess(keeping: [], account: nil)
            }
            let report = try PrivilegeReport.ofThread()
            #expect(!report.effective.isEmpty)
        }
    }
}

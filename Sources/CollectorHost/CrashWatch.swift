import EventModel
import Hardening
import LinuxBackends

import struct SystemPackage.Errno

/// Makes crashes leave evidence, and tells of the last one.
struct CrashWatch {
    /// `nil` when the folder for state takes no file: then standard error is all there is.
    private let file: LinuxCrashFile?

    /// Has faults and forbidden calls of this process told from now on; to be called before its first thread.
    ///
    /// - Parameter folder: The one for state, which exists.
    static func begin(in folder: String) throws(HostError) -> CrashWatch {
        var file: LinuxCrashFile?
        do throws(Errno) {
            file = try LinuxCrashFile(folder: folder)
        } catch {
            // Whoever cannot write there is told by the files of state; a crash must not be what keeps it from starting.
            DaemonCommand.complain("no \(LinuxCrashFile.name) in \(folder): \(error)")
        }
        let watch = CrashWatch(file: file)
        watch.tellPrevious(in: folder)
        do throws(HardeningError) {
            try CrashEvidence.install(
                program: DaemonCommand.program.name, version: HostProcess.version, file: file?.descriptor)
        } catch {
            throw HostError(.internal, "\(error)")
        }
        return watch
    }

    private func tellPrevious(in folder: String) {
        guard let words = file?.previous else { return }
        let line = words.split(separator: 0x0a).first.map { String(decoding: $0, as: UTF8.self) } ?? ""
        DaemonCommand.complain(
            "a run before has crashed, see \(folder)/\(LinuxCrashFile.keptName): \(line)")
    }
}

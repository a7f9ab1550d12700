import Foundation
import LinuxBackends
import Testing

@Suite struct LinuxSettingsFileTests {
    @Test(arguments: [(0o700, true), (0o755, true), (0o775, false), (0o757, false), (0o1777, false)])
    func `a folder of settings into which others can put files is refused`(mode: Int, isAccepted: Bool) throws
    {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("settings-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: folder.path)
        do throws(LinuxSettingsFile.Failure) {
            try LinuxSettingsFile.checkFolder(folder.path)
            #expect(isAccepted)
        } catch {
            guard case .changeableByOthers(_, let found) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(!isAccepted)
            #expect(found == UInt32(mode))
        }
    }
}

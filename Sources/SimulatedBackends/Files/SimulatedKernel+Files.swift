package import struct SystemPackage.Errno

// The files of a simulated host.

extension SimulatedKernel {
    /// Carries out what a process does to files, now.
    ///
    /// - Throws: What the system call gives; nothing is done then, or only the first of its calls.
    package func perform(_ action: FileAction) throws(Errno) {
        do throws(Errno) {
            try world.fileSystem.perform(action)
        } catch {
            world.skippedVerbCount += 1
            throw error
        }
    }

    /// Makes files that have been there since before the run: no watch tells of them.
    ///
    /// - Throws: What the system call gives.
    package func addFiles(_ actions: [FileAction]) throws(Errno) {
        world.fileSystem.isPopulating = true
        defer { world.fileSystem.isPopulating = false }
        for action in actions { try perform(action) }
    }

    /// What really happened to the files.
    package var fileTruth: FileTruth { world.fileSystem.truth }

    /// Every name below a folder and its own as they are now, sorted by path; empty when there is no such folder.
    ///
    /// What is mounted there is shown, what that hides is not. No link is followed.
    package func fileTree(below path: [UInt8]) -> [FileTruthEntry] { world.fileSystem.tree(below: path) }

    /// Records for which the queues of the collector's open instances had no room, and how often that began.
    package var watchLosses: (records: UInt64, overflows: UInt64) {
        world.fileSystem.instances.reduce((0, 0)) { ($0.0 + $1.droppedCount, $0.1 + $1.overflowCount) }
    }

    /// Most records that an instance queues.
    package var watchQueueLimit: Int { world.configuration.watchQueueLimit }
}

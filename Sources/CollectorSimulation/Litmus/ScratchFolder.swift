/// A folder of programs for the puppets of one case: copies of this very program.
final class ScratchFolder {
    let path: String
    private var names: Set<[UInt8]> = []

    init() throws(LitmusFailure) { path = try PuppetSystem.makeScratch() }

    /// The path of a program by its name in the case; copied on first use and after an unlink.
    func program(_ name: [UInt8]) throws(LitmusFailure) -> [UInt8] {
        if names.insert(name).inserted { try PuppetSystem.copyProgram(to: full(name)) }
        return full(name)
    }

    func unlink(_ name: [UInt8]) throws(LitmusFailure) {
        try PuppetSystem.unlink(full(name))
        names.remove(name)
    }

    /// Has a file that somebody else makes removed at the end.
    func note(_ name: String) { names.insert(Array(name.utf8)) }

    func remove() {
        // Best effort, in any order: a leftover is a file in /tmp.
        for name in names.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            try? PuppetSystem.unlink(full(name))
        }
        try? PuppetSystem.removeFolder(Array(path.utf8))
    }

    private func full(_ name: [UInt8]) -> [UInt8] { Array(path.utf8) + [UInt8(ascii: "/")] + name }
}

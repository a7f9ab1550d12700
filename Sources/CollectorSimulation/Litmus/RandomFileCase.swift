import SimulatedBackends

/// Writes random programs about files: what others do to a small tree, and what watches and openings make of it.
///
/// Every line asks: what is refused must be refused alike.
package struct RandomFileCase {
    private var generator: SeededGenerator
    private var questions: [String] = []
    private var heldFiles: [String] = []
    private var handles: [String] = []
    private var watches: [String] = []
    private var nextNumber = 0

    private init(seed: UInt64) { generator = SeededGenerator(seed: seed, stream: .world) }

    /// The questions of one program; the same seed gives the same.
    package static func make(seed: UInt64) -> [String] {
        var program = RandomFileCase(seed: seed)
        program.questions = [
            "try mkdir d", "try create d/a text=\"one\"", "try create a text=\"two\"", "watch w . as W0",
            "watch w d as W00",
        ]
        program.watches = ["W0", "W00"]
        for _ in 0..<(10 + program.below(40)) { program.step() }
        program.questions += ["events w"] + ["", "d/", "e/"].map { "entries " + ($0.isEmpty ? "." : $0) }
        for name in ["a", "b", "d/a", "e/a", "d/b"] {
            program.questions += ["stat \(name) type mode links uid gid", "content \(name)"]
        }
        return program.questions
    }

    private mutating func below(_ bound: Int) -> Int { Int(generator.next() % UInt64(bound)) }

    private mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    private mutating func fresh(_ letter: String) -> String {
        nextNumber += 1
        return letter + String(nextNumber)
    }

    /// Mostly a path that is there.
    private mutating func path() -> String {
        let folder = pick(["", "", "", "d/", "d/", "e/", "d/e/", "../", "d/../", "a/", "l/"])
        return folder + pick(["a", "a", "b", "c", "d", "e", "l"])
    }

    /// A path, or a name in what is open.
    private mutating func target() -> String {
        guard !handles.isEmpty, below(4) == 0 else { return path() }
        let handle = pick(handles)
        return pick([handle, handle + "/a", handle + "/" + pick(["b", "d", "e", "l"])])
    }

    private mutating func text() -> String { "\"" + pick(["x", "yy", "more text", ""]) + "\"" }

    // MARK: - Steps

    private mutating func step() {
        switch below(12) {
        case 0, 1: changeContents()
        case 2...5: changeNames()
        case 6: questions.append("try " + changeOfAttributes())
        case 7: changeOpenFiles()
        case 8: changeMounts()
        case 9: watch()
        case 10: questions.append("events w")
        default: look()
        }
    }

    private mutating func changeContents() {
        let path = path()
        let actions = [
            "create \(path)", "create \(path) text=\(text()) mode=0600", "write \(path) \(text())",
            "write \(path) \(text()) at=\(below(6))", "overwrite \(path) \(text())",
            "truncate \(path) \(below(8))", "fread \(path)",
        ]
        questions.append("try " + pick(actions))
    }

    private mutating func changeNames() {
        let (path, other) = (path(), path())
        let actions = [
            "rename \(path) \(other)", "rename \(path) \(other)", "rename \(path) \(other) mode=exchange",
            "rename \(path) \(other) mode=no-replace", "link \(path) \(other)", "symlink \(path) \(other)",
            "rm \(path)", "rm \(path)", "mkdir \(path)", "mkdir \(path) mode=0700", "rmdir \(path)",
            "mknod \(path) \(pick(["fifo", "socket", "device"]))",
        ]
        questions.append("try " + pick(actions))
    }

    private mutating func changeOfAttributes() -> String {
        let path = path()
        return pick(["chmod \(path) 0640", "chmod \(path) 0644", "chown \(path) 1 2", "touch \(path)"])
    }

    private mutating func changeOpenFiles() {
        if heldFiles.isEmpty || below(3) == 0 {
            let name = fresh("F")
            // What is not a plain file may keep a writer waiting.
            questions.append("try hold \(pick(["a", "d/a", "b"])) \(name)")
            heldFiles.append(name)
        } else if below(2) == 0 {
            questions.append("try put \(pick(heldFiles)) \(text())")
        } else {
            let name = heldFiles.remove(at: below(heldFiles.count))
            questions.append("try release \(name)")
        }
    }

    private mutating func changeMounts() {
        let path = pick(["d", "e", "d/e"])
        questions.append("try " + pick(["mount \(path)", "umount \(path)", "umount \(path) lazy"]))
    }

    private mutating func watch() {
        if below(4) == 0 {
            questions.append("unwatch w \(pick(watches))")
            return
        }
        let label = fresh("W")
        let mask = pick([
            "", " mask=all", " mask=all", " mask=modify,delete_self,oneshot", " mask=create,moved_to,onlydir",
            " mask=modify,delete,excl_unlink", " mask=attrib,mask_add",
        ])
        questions.append("watch w \(target())\(mask) as \(label)")
        watches.append(label)
    }

    private mutating func look() {
        switch below(4) {
        case 0:
            let handle = fresh("H")
            questions.append("beneath \(path()) \(pick(["path", "folder", "contents"])) as \(handle)")
            handles.append(handle)
        case 1: questions.append("entries \(path())")
        case 2: questions.append("stat \(target()) type mode links")
        default: questions.append("content \(path())\(pick(["", "", " at=1 count=2"]))")
        }
    }
}

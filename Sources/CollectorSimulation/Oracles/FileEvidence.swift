import EventModel
import HostSources
package import SimulatedBackends

/// What really happened to files, and how they are at the end.
package struct FileEvidence: Sendable {
    package var truth: FileTruth
    /// Everything below each root, by root.
    package var trees: [[FileTruthEntry]]

    package init(truth: FileTruth, trees: [[FileTruthEntry]]) {
        self.truth = truth
        self.trees = trees
    }
}

/// Which files a scenario has the collector watch.
struct WatchedFiles {
    let roots: [[UInt8]]
    private let rules: FileRules

    init(_ options: FilesystemOptions) {
        roots = options.roots.map { root in
            var root = root
            while root.count > 1, root.last == UInt8(ascii: "/") { root.removeLast() }
            return root
        }
        rules = options.rules
    }

    /// The root that a path lies in, the root itself included.
    func root(of path: [UInt8]) -> Int? { roots.firstIndex { path.isWithin($0) } }

    /// Whether a path below a root is excluded by its own name or that of a folder on the way.
    func isExcluded(_ path: [UInt8]) -> Bool {
        guard let root = root(of: path) else { return true }
        var prefix = roots[root]
        for name in path.dropFirst(prefix.count).split(separator: UInt8(ascii: "/")) {
            prefix += [UInt8(ascii: "/")] + name
            let path = prefix
            if rules.reason(against: Array(name), path: { path }) != nil { return true }
        }
        return false
    }
}

extension FilesystemOptions {
    /// What the collector is told to leave out.
    var rules: FileRules {
        var rules = FileRules()
        for text in exclusions { _ = rules.exclude(text) }
        return rules
    }
}

extension [UInt8] {
    /// Whether a path is a folder's or lies below it.
    func isWithin(_ folder: [UInt8]) -> Bool {
        if folder == [UInt8(ascii: "/")] { return first == UInt8(ascii: "/") }
        return starts(with: folder) && (count == folder.count || self[folder.count] == UInt8(ascii: "/"))
    }
}

extension Event {
    /// The file that an event is about, with its path as bytes; `nil` for other domains.
    var file: (event: FilesystemEvent, path: [UInt8])? {
        guard case .filesystem(let file) = subject else { return nil }
        return KernelText.encode(file.path, isEscaped: escaped.contains("path")).map { (file, $0) }
    }

    /// The path before a rename, as bytes.
    var previousPath: [UInt8]? {
        guard case .filesystem(let file) = subject, let path = file.previousPath else { return nil }
        return KernelText.encode(path, isEscaped: escaped.contains("previous_path"))
    }
}

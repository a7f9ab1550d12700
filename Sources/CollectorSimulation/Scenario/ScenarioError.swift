/// A place in a scenario file, both numbers from 1; columns count characters (Unicode scalars).
package struct SourcePosition: Hashable, Sendable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

/// What is wrong with a scenario file, where, and what was expected instead.
public struct ScenarioError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file's name as the caller gave it.
    public var path: String
    /// From 1; 0 when the error belongs to the whole file.
    public var line: Int
    /// From 1, in characters (Unicode scalars); 0 when the error belongs to the whole file.
    public var column: Int
    /// What was expected, and what is there instead.
    public var message: String

    package init(path: String, position: SourcePosition?, message: String) {
        self.path = path
        line = position?.line ?? 0
        column = position?.column ?? 0
        self.message = message
    }

    /// `path:line:column: message`.
    public var description: String {
        line == 0 ? "\(path): \(message)" : "\(path):\(line):\(column): \(message)"
    }
}

/// Bounds on what a scenario file may make the simulator hold; beyond them the file is refused with its place.
package enum ScenarioLimits {
    /// Longest scenario file in bytes: the longest useful one has thousands of lines, not millions.
    package static let fileByteCount = 4_194_304
    /// Most lines of a file.
    package static let lineCount = 100_000
    /// Most tokens of one line; an argument list is one token.
    package static let tokenCount = 1_024
    /// Most values of one list.
    package static let listCount = 16_384
    /// Most repetitions of one burst.
    package static let burstCount: UInt64 = 1_000_000
    /// Most files and folders of one `tree`.
    package static let treeFileCount = 200_000
}

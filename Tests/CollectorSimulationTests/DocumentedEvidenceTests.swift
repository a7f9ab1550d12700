import CollectorSimulation
import Foundation
import Testing

/// What the pages in `Documentation` refer to.
@Suite struct `the documentation` {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    private static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
    }

    /// The names of all tests.
    private static let testNames: Set<String> = {
        var names: Set<String> = []
        let files = FileManager.default.enumerator(
            at: root.appendingPathComponent("Tests").resolvingSymlinksInPath(),
            includingPropertiesForKeys: nil)
        while let file = files?.nextObject() as? URL {
            // A folder has no text.
            guard file.pathExtension == "swift", let text = try? String(contentsOf: file, encoding: .utf8)
            else { continue }
            for part in text.split(separator: "func `").dropFirst() {
                names.insert(String(part.prefix { $0 != "`" }))
            }
        }
        return names
    }()

    /// What stands between backquotes in the columns of the threat model that say by what something is shown.
    private static func evidence() throws -> [String] {
        var column: Int?
        var found: [String] = []
        for line in try text("Documentation/threat-model.md").split(separator: "\n") {
            guard line.hasPrefix("| ") else {
                if !line.hasPrefix("|") { column = nil }
                continue
            }
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            if let head = cells.firstIndex(of: "shown by") {
                column = head
            } else if let column, column < cells.count {
                let parts = cells[column].split(separator: "`", omittingEmptySubsequences: false)
                found += parts.enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
            }
        }
        return found
    }

    @Test func `names nothing in the threat model that does not exist`() throws {
        let evidence = try Self.evidence()
        #expect(evidence.count > 50)
        let makefile = try Self.text("Makefile")
        for name in evidence {
            if name.hasPrefix("make ") {
                #expect(makefile.contains("\n\(name.dropFirst(5)):"), "no goal of that name: \(name)")
            } else if name.hasPrefix("fuzz-") {
                #expect(Self.exists("Fuzz/Sources/\(name)"), "no fuzzer of that name: \(name)")
            } else if name.contains(" ") {
                #expect(Self.testNames.contains(name), "no test of that name: \(name)")
            } else if name.contains("/") {
                #expect(Self.exists(name), "no such file: \(name)")
            } else {
                #expect(OracleName(rawValue: name) != nil, "no oracle of that name: \(name)")
            }
        }
    }

    @Test(arguments: ["README.md", "Documentation", "Scenarios"])
    func `links to files that are there`(_ place: String) throws {
        let folder = Self.root.appendingPathComponent(place)
        var pages = place.hasSuffix(".md") ? [place] : []
        let files = FileManager.default.enumerator(atPath: folder.resolvingSymlinksInPath().path)
        while let file = files?.nextObject() as? String {
            if file.hasSuffix(".md") { pages.append("\(place)/\(file)") }
        }
        #expect(!pages.isEmpty)
        for page in pages {
            let base = page.split(separator: "/").dropLast().joined(separator: "/")
            for part in try Self.text(page).split(separator: "](").dropFirst() {
                let target = part.prefix { $0 != ")" && $0 != "#" }
                guard !target.isEmpty, !target.contains("://"), !target.contains(" ") else { continue }
                let path = base.isEmpty ? String(target) : "\(base)/\(target)"
                #expect(Self.exists(path), "\(page): \(target)")
            }
        }
    }
}

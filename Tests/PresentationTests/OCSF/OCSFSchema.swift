import Foundation

/// What `Tests/Data/ocsf-1.8.0.json` says of the schema, and a validator by it.
struct OCSFSchema: Decodable {
    struct Sibling: Decodable {
        var sibling: String
        var captions: [String: String]
    }

    struct Shape: Decodable {
        var name: String?
        var category: Int64?
        /// `requirement type`, and `@profile` where the attribute belongs to one.
        var attributes: [String: String]
        var activities: [String: String]?
        var enums: [String: [Int64]]?
        var siblings: [String: Sibling]?
        // Spelled as in the file.
        var at_least_one: [String]?
    }

    var version: String
    var base: Shape
    var classes: [String: Shape]
    var objects: [String: Shape]

    static func read() throws -> OCSFSchema {
        try JSONDecoder().decode(OCSFSchema.self, from: Data(contentsOf: TestFiles.data("ocsf-1.8.0.json")))
    }

    // MARK: - Validation

    /// What is wrong with a line; empty when it is an event of the schema.
    func violations(in line: String) throws -> [String] {
        guard case .object(let event) = try JSONDecoder().decode(JSONValue.self, from: Data(line.utf8)) else {
            return ["no object"]
        }
        guard case .integer(let classID) = event["class_uid"], let shape = classes[String(classID)] else {
            return ["class_uid: none of ours"]
        }
        var problems = classificationProblems(event, classID, shape)
        var profiles: Set<String> = []
        if case .object(let metadata) = event["metadata"] {
            if metadata["version"] != .string(version) { problems.append("metadata.version") }
            if case .array(let names) = metadata["profiles"] {
                for case .string(let name) in names { profiles.insert(name) }
            }
        }
        var whole = shape
        whole.attributes.merge(base.attributes) { own, _ in own }
        whole.enums = (shape.enums ?? [:]).merging(base.enums ?? [:]) { own, _ in own }
        whole.siblings = (shape.siblings ?? [:]).merging(base.siblings ?? [:]) { own, _ in own }
        check(event, against: whole, at: "", profiles, &problems)
        return problems
    }

    private func classificationProblems(_ event: [String: JSONValue], _ classID: Int64, _ shape: Shape)
        -> [String]
    {
        var problems: [String] = []
        if event["class_name"] != shape.name.map({ .string($0) }) { problems.append("class_name") }
        if event["category_uid"] != shape.category.map({ .integer($0) }) { problems.append("category_uid") }
        guard case .integer(let activity) = event["activity_id"] else { return problems + ["activity_id"] }
        if event["type_uid"] != .integer(classID * 100 + activity) { problems.append("type_uid") }
        if let caption = shape.activities?[String(activity)] {
            if event["activity_name"] != .string(caption) { problems.append("activity_name: not \(caption)") }
        } else if activity == 99 {
            // Other: the event source says what.
            if event["activity_name"] == nil { problems.append("activity_name: missing") }
        } else {
            problems.append("activity_id: \(activity) is none of the class")
        }
        return problems
    }

    private func check(
        _ object: [String: JSONValue], against shape: Shape, at place: String, _ profiles: Set<String>,
        _ problems: inout [String]
    ) {
        for (name, rule) in shape.attributes where rule.hasPrefix("required") && object[name] == nil {
            problems.append("\(place)\(name): required")
        }
        if let names = shape.at_least_one, !names.contains(where: { object[$0] != nil }) {
            problems.append("\(place): none of \(names)")
        }
        for (name, value) in object {
            guard let rule = shape.attributes[name]?.split(separator: " ") else {
                problems.append("\(place)\(name): no attribute of it")
                continue
            }
            if rule.count > 2, !profiles.contains(String(rule[2].dropFirst())) {
                problems.append("\(place)\(name): the profile \(rule[2]) is not named")
            }
            check(value, as: String(rule[1]), at: place + name, profiles, &problems)
        }
        checkEnums(of: object, shape, at: place, &problems)
    }

    private func checkEnums(
        of object: [String: JSONValue], _ shape: Shape, at place: String, _ problems: inout [String]
    ) {
        for (name, values) in shape.enums ?? [:] {
            guard let value = object[name] else { continue }
            guard case .integer(let number) = value, values.contains(number) else {
                problems.append("\(place)\(name): \(value) is none of its values")
                continue
            }
            guard let sibling = shape.siblings?[name], let text = object[sibling.sibling] else { continue }
            if let caption = sibling.captions[String(number)], text != .string(caption) {
                problems.append("\(place)\(sibling.sibling): not \(caption)")
            }
        }
    }

    private func check(
        _ value: JSONValue, as type: String, at place: String, _ profiles: Set<String>,
        _ problems: inout [String]
    ) {
        if type.hasPrefix("[") {
            guard case .array(let elements) = value else { return problems.append("\(place): no array") }
            for element in elements {
                check(element, as: String(type.dropFirst().dropLast()), at: place + "[]", profiles, &problems)
            }
            return
        }
        if let shape = objects[type] {
            guard case .object(let members) = value else { return problems.append("\(place): no object") }
            return check(members, against: shape, at: place + ".", profiles, &problems)
        }
        if !Self.isScalar(value, type) { problems.append("\(place): \(value) is no \(type)") }
    }

    private static func isScalar(_ value: JSONValue, _ type: String) -> Bool {
        switch (type, value) {
        case ("any", _), ("boolean", .boolean), ("string", .string), ("long", .integer): true
        case ("integer", .integer(let number)): Int32(exactly: number) != nil
        // Not nanoseconds and not seconds: the years 1971 to 2262 in milliseconds, or the beginning of time.
        case ("timestamp", .integer(let number)): number == 0 || (31_536_000_000...9_223_372_036_854).contains(number)
        case ("uuid", .string(let text)): UUID(uuidString: text) != nil
        case ("datetime", .string(let text)):
            text.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/) != nil
        default: false
        }
    }
}

/// Any JSON value, numbers told apart.
enum JSONValue: Hashable, Decodable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .boolean(flag)
        } else if let number = try? container.decode(Int64.self) {
            self = .integer(number)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .string(text)
        } else if let elements = try? container.decode([JSONValue].self) {
            self = .array(elements)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }
}

/// Files of the repository that tests read.
enum TestFiles {
    private static var repository: URL {
        // Resolved, so that a view of the sources through symbolic links finds the rest, too.
        URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
    }

    static func data(_ name: String) -> URL { repository.appendingPathComponent("Tests/Data/\(name)") }

    static func documentation(_ name: String) throws -> String {
        try String(contentsOf: repository.appendingPathComponent("Documentation/\(name)"), encoding: .utf8)
    }
}

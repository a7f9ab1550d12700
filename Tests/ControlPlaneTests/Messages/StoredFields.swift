/// Every stored property of a value, however deep, as it is in memory.
///
/// What somebody adds to a type is among them without any change here: that is the point.
struct StoredFields: Equatable {
    /// The path of each field and its value in words.
    private(set) var fields: [Field] = []

    struct Field: Equatable {
        /// Without the indices of arrays.
        var path: String
        /// As bytes, because texts that Unicode takes for equal are not the same.
        var value: [UInt8]
    }

    init(of value: Any) { walk(value, "") }

    private mutating func walk(_ value: Any, _ path: String) {
        let mirror = Mirror(reflecting: value)
        guard !mirror.children.isEmpty, !(value is String) else {
            fields.append(Field(path: path, value: Array(String(describing: value).utf8)))
            return
        }
        for child in mirror.children {
            let isTransparent = mirror.displayStyle == .optional || mirror.displayStyle == .collection
            walk(child.value, isTransparent ? path : path + "." + (child.label ?? "[]"))
        }
    }

    /// The paths that have the same value in all of `samples`: fields that the samples say nothing about.
    ///
    /// A path below which there is more in some samples varies: it is `nil`, empty, or a case without values in others.
    static func constantPaths(in samples: [StoredFields]) -> [String] {
        var values: [String: Set<[UInt8]>] = [:]
        for sample in samples {
            for field in sample.fields { values[field.path, default: []].insert(field.value) }
        }
        return values.keys.sorted().filter { path in
            (values[path]?.count ?? 0) < 2 && !values.keys.contains { $0.hasPrefix(path + ".") }
        }
    }
}

import SimulatedBackends

/// Writes random programs about stream sockets: listeners, clients of several processes, bytes in pieces of all sizes, and
/// names that come and go.
///
/// Every line asks: what is refused must be refused alike.
package struct RandomSocketCase {
    private var generator: SeededGenerator
    private var questions: [String] = []
    private var listeners: [String] = []
    private var connections: [String] = []
    private var nextNumber = 0

    private static let processes = ["A", "B"]
    private static let paths = ["s", "s", "s", "t"]

    private init(seed: UInt64) { generator = SeededGenerator(seed: seed, stream: .world) }

    /// What is done first, and the questions; the same seed gives the same.
    package static func make(seed: UInt64) -> (actions: [String], questions: [String]) {
        var program = RandomSocketCase(seed: seed)
        program.listen(at: "s")
        program.connect()
        program.accept()
        for _ in 0..<(10 + program.below(50)) { program.step() }
        for connection in program.connections {
            program.questions += ["socket ready \(connection)", "socket drain \(connection)"]
        }
        return (processes.map { "proc \($0)" } + ["setuid B 4321"], program.questions)
    }

    private mutating func below(_ bound: Int) -> Int { Int(generator.next() % UInt64(bound)) }

    private mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    private mutating func fresh(_ letter: String) -> String {
        nextNumber += 1
        return letter + String(nextNumber)
    }

    // MARK: - Steps

    private mutating func step() {
        switch below(16) {
        case 0: listen(at: pick(Self.paths))
        case 1, 2: connect()
        case 3, 4: accept()
        case 5: changeNames()
        case 6: close()
        case 7: questions.append("socket connect \(pick(Self.paths)) by \(pick(Self.processes))")
        case 8, 9: wait()
        case 10...12: send()
        default: receive()
        }
    }

    private mutating func listen(at path: String) {
        let name = fresh("l")
        let mode = pick(["", " mode=0666", " mode=0622", " mode=0644", " mode=0000"])
        questions.append("socket listen \(path) backlog=\(below(4))\(mode) as \(name)")
        listeners.append(name)
    }

    private mutating func connect() {
        let name = fresh("c")
        questions.append("socket connect \(pick(Self.paths)) as \(name)")
        connections.append(name)
    }

    private mutating func accept() {
        let name = fresh("p")
        questions += ["socket accept \(pick(listeners)) as \(name)", "socket peer \(name)"]
        connections.append(name)
    }

    private mutating func changeNames() {
        let path = pick(Self.paths)
        questions.append("socket " + pick(["rm \(path)", "put \(path) remains", "put \(path) file"]))
    }

    private mutating func close() {
        questions.append("socket close \(pick(below(4) == 0 ? listeners : connections))")
    }

    private mutating func wait() {
        let interest = pick(["", " receiving", " sending", " receiving sending"])
        questions.append("socket ready \(pick(below(4) == 0 ? listeners : connections))\(interest)")
    }

    private mutating func send() {
        let name = pick(connections)
        let chunk = pick([below(400), below(5_000), below(40_000), below(300_000)]) + 1
        questions.append(
            pick([
                "socket send \(name) \"x\"", "socket send \(name) \"some words\" times=\(1 + below(400))",
                "socket fill \(name) chunk=\(chunk)",
            ]))
    }

    private mutating func receive() {
        let name = pick(connections)
        questions.append(pick(["socket recv \(name) count=\(1 + below(20))", "socket drain \(name)"]))
    }
}

import SimulatedBackends

/// Writes random programs of the case language, to compare two kernels on what nobody thought of.
///
/// Only what a kernel decides the same way every time is done: a process with several threads is not ended as a whole,
/// since its threads end in any order.
package struct RandomCase {
    private struct Life {
        var name: String
        var parent: String
        var threads: [String] = []
        var isAlive = true
        var isReaped = false
        /// The first thread has ended, others live on: nobody can tell the process anything through it.
        var hasLostLeader = false
        var hasProgram = false
        var leadsSession = false

        var isSingle: Bool { threads.isEmpty && !hasLostLeader }
    }

    private var generator: SeededGenerator
    private var lives: [Life] = []
    private var lines: [String] = []
    private var nextNumber = 0

    private init(seed: UInt64) { generator = SeededGenerator(seed: seed, stream: .world) }

    /// The actions and questions of one program; the same seed gives the same.
    package static func make(seed: UInt64) -> (actions: [String], questions: [String]) {
        var program = RandomCase(seed: seed)
        program.lines = ["listen c", "fork R -> P0", "exec P0 tool argv=[\"tool\"]"]
        program.lives = [Life(name: "P0", parent: "R", hasProgram: true)]
        for _ in 0..<(3 + program.below(20)) { program.step() }
        return (program.lines, program.questions)
    }

    private mutating func below(_ bound: Int) -> Int { Int(generator.next() % UInt64(bound)) }

    private mutating func pick<Element>(_ elements: [Element]) -> Element? {
        elements.isEmpty ? nil : elements[below(elements.count)]
    }

    private mutating func fresh(_ letter: String) -> String {
        nextNumber += 1
        return letter + String(nextNumber)
    }

    // MARK: - Actions

    private mutating func step() {
        guard let index = pick(lives.indices.filter { lives[$0].isAlive }) else {
            return begin(parent: nil)
        }
        let choice = below(20)
        switch choice {
        case 0...3: begin(parent: lives[index].hasLostLeader ? nil : index)
        case 4...8: changeThreads(of: index, choice)
        case 9...11: execute(index)
        case 12, 13: end(index)
        case 14, 15: reap()
        default: changeAttributes(of: index, choice)
        }
    }

    private mutating func begin(parent index: Int?) {
        let name = fresh("P")
        let parent = index.map { lives[$0].name } ?? "R"
        lines.append("fork \(parent) -> \(name)")
        lives.append(
            Life(name: name, parent: parent, hasProgram: index.map { lives[$0].hasProgram } ?? false))
    }

    private mutating func changeThreads(of index: Int, _ choice: Int) {
        let life = lives[index]
        switch choice {
        case 4, 5:
            guard !life.hasLostLeader else { return }
            let thread = fresh("T")
            lines.append("thread \(life.name) -> \(thread)")
            lives[index].threads.append(thread)
        case 6:
            guard let thread = pick(life.threads) else { return }
            lines.append("exit-thread \(thread)")
            lives[index].threads.removeAll { $0 == thread }
            lives[index].isAlive = !life.hasLostLeader || !lives[index].threads.isEmpty
        case 7:
            guard !life.hasLostLeader, !life.threads.isEmpty else { return }
            lines.append("exit-thread \(life.name)")
            lives[index].hasLostLeader = true
        default:
            guard let thread = life.threads.first, life.threads.count == 1 else { return }
            lines.append("exec \(thread) tool\(below(3)) argv=[\"x\",\"\(below(9))\"]")
            lives[index].threads = []
            lives[index].hasLostLeader = false
            lives[index].hasProgram = true
        }
    }

    private mutating func execute(_ index: Int) {
        guard lives[index].isSingle else { return }
        lines.append("exec \(lives[index].name) tool\(below(3)) argv=[\"y\",\"\(below(9))\"]")
        lives[index].hasProgram = true
    }

    private mutating func end(_ index: Int) {
        guard lives[index].isSingle else { return }
        let name = lives[index].name
        let signal = pick([1, 2, 9, 11, 15]) ?? 9
        lines.append(below(2) == 0 ? "exit \(name) code=\(below(256))" : "kill \(name) signal=\(signal)")
        lives[index].isAlive = false
    }

    private mutating func reap() {
        let dead = lives.indices.filter { index in
            guard !lives[index].isAlive, !lives[index].isReaped else { return false }
            // A parent without its first thread cannot be told to.
            return lives.first { $0.name == lives[index].parent }.map { !$0.isAlive || !$0.hasLostLeader }
                ?? true
        }
        guard let index = pick(dead) else { return }
        lines.append("reap \(lives[index].name)")
        lives[index].isReaped = true
    }

    private mutating func changeAttributes(of index: Int, _ choice: Int) {
        let life = lives[index]
        guard !life.hasLostLeader else { return }
        switch choice {
        case 16:
            let task = pick([life.name] + life.threads) ?? life.name
            lines.append("comm \(task) \"name \(below(99)))\"")
        case 17:
            // Users belong to threads, which the simulated kernel does not model.
            guard life.isSingle else { return }
            lines.append("setgid \(life.name) \(below(3))")
        case 18:
            guard !life.leadsSession else { return }
            lines.append("setsid \(life.name)")
            lives[index].leadsSession = true
        default:
            guard life.hasProgram else { return }
            lines.append("title \(life.name) \"t\(below(9))\"")
        }
    }

    // MARK: - Questions

    private var questions: [String] {
        var questions = ["list", "recv c detail"]
        for life in lives {
            let name = life.name
            guard !life.isReaped else {
                questions += [
                    "read \(name)/stat comm", "open \(name) as d\(questions.count)", "pidfd \(name)",
                ]
                continue
            }
            questions += [
                "read \(name)/stat comm ppid pgrp session num_threads exit_code exit_signal",
                "threads \(name)",
                "read \(name)/status Name Tgid PPid TracerPid Uid Gid Threads", "read \(name)/comm",
            ]
            if life.hasProgram {
                questions += ["read \(name)/cmdline", "readlink \(name)/exe", "status \(name)/exe"]
            }
            // A live process may be running or asleep.
            if !life.isAlive || life.hasLostLeader { questions.append("read \(name)/stat state") }
        }
        return questions
    }
}

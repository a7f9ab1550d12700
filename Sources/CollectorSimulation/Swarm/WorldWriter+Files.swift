/// What happens to files: paths come out of few names, so that actions meet, and many of them fail.
extension WorldWriter {
    /// The folder that profiles have the collector watch, and one beside it.
    private static let watched = "/srv"
    private static let outside = "/outside"
    private static let folders = ["a", "b", "c"]
    private static let files = ["one", "two", "three", "four", "five"]

    /// A small tree, if the collector watches files.
    mutating func populateFiles() {
        guard plan.settings.contains(where: { $0.key == "filesystem.roots" }) else { return }
        given.append(
            SceneLine(
                .tokens([
                    .word("tree"), .word(Self.watched), .key("depth", "2"), .key("folders", "1"),
                    .key("files", "2"),
                ])))
        for folder in Self.folders {
            let path = Self.watched + "/" + folder
            given.append(SceneLine(.tokens([.word("folder"), .word(path)])))
            for file in Self.files.prefix(3) {
                let size = tape.logarithmic("size", in: 0...16_384, for: .world)
                given.append(
                    SceneLine(.tokens([.word("file"), .word(path + "/" + file), .key("size", String(size))])))
            }
        }
        given.append(SceneLine(.tokens([.word("folder"), .word(Self.outside + "/a")])))
    }

    /// One thing that happens to files now.
    mutating func changeFiles(_ chosen: SwarmProfile.Feature) {
        switch chosen.feature {
        case .filesContents: changeContents()
        case .filesNames: changeNames(hostile: happens(.hostile, of: chosen))
        case .filesFolders: changeFolders()
        case .filesSpecial: makeSpecial()
        case .filesMount: changeMounts()
        default:
            let count = chosen[.count].draw("count", for: .world, from: &tape)
            let kind = ["create", "churn", "delete", "write"][choice(4)]
            emit([
                .word("file.burst"), .word(folder()), .key("count", String(count)), .key("kind", kind),
                .key("size", String(choice(100))), .key("over", duration(.over, of: chosen)),
            ])
        }
    }

    // MARK: - Paths

    private mutating func choice(_ count: Int) -> Int { tape.index("file choice", of: count, for: .world) }

    /// A folder up to three levels below the watched one; now and then one outside.
    private mutating func folder() -> String {
        var path = choice(12) == 0 ? Self.outside : Self.watched
        for _ in 0..<choice(4) { path += "/" + Self.folders[choice(Self.folders.count)] }
        return path
    }

    private mutating func file() -> String { folder() + "/" + Self.files[choice(Self.files.count)] }

    // MARK: - Actions

    private mutating func changeContents() {
        let size = SceneToken.key("size", String(tape.logarithmic("size", in: 0...65_536, for: .world)))
        let span = choice(3) == 0 ? [SceneToken.key("over", "\(1 + choice(5_000))us")] : []
        switch choice(8) {
        case 0, 1: emit([.word("file.create"), .word(file()), size] + span)
        case 2: emit([.word("file.write"), .word(file()), size] + span)
        case 3: emit([.word("file.overwrite"), .word(file()), size] + span)
        case 4: emit([.word("file.truncate"), .word(file()), size])
        case 5:
            emit([.word("file.chmod"), .word(file()), .key("mode", ["0600", "0644", "4755"][choice(3)])])
        case 6:
            let user = Self.users[choice(Self.users.count)]
            emit([.word("file.chown"), .word(file()), .key("uid", String(user))])
        default:
            emit([
                .word("file.utime"), .word(file()), .key("mtime", "20\(10 + choice(40))-01-01T00:00:00Z"),
            ])
        }
    }

    private mutating func changeNames(hostile: Bool) {
        if hostile {
            let name = HostileText.files[choice(HostileText.files.count)]
            let path = Array((folder() + "/").utf8) + name
            return emit([.word(choice(2) == 0 ? "file.create" : "file.unlink"), .text(path)])
        }
        switch choice(6) {
        case 0, 1: emit([.word("file.unlink"), .word(file())])
        case 2: emit([.word("file.rename"), .word(file()), .arrow, .word(file())])
        case 3:
            let mode = ["exchange", "no-replace"][choice(2)]
            emit([.word("file.rename"), .word(file()), .arrow, .word(file()), .word(mode)])
        case 4: emit([.word("file.link"), .word(file()), .arrow, .word(file())])
        default:
            let target = [Self.outside + "/a", "../..", "one", "/etc/passwd"][choice(4)]
            emit([.word("file.symlink"), .word(file()), .key("target", target)])
        }
    }

    private mutating func changeFolders() {
        switch choice(6) {
        case 0: emit([.word("file.mkdir"), .word(folder())])
        case 1: emit([.word("file.mkdir"), .word(folder()), .word("parents")])
        case 2: emit([.word("file.rmdir"), .word(folder())])
        case 3:
            let path = folder()
            guard path != Self.watched, path != Self.outside else { return }
            emit([.word("file.rm"), .word(path)])
        default:
            let (from, to) = (folder(), folder())
            guard from != Self.watched, from != Self.outside, to != Self.watched, to != Self.outside else {
                return
            }
            emit([.word("file.rename"), .word(from), .arrow, .word(to)])
        }
    }

    private mutating func makeSpecial() {
        let type = ["fifo", "socket", "block_device", "character_device"][choice(4)]
        emit([.word("file.mknod"), .word(file()), .key("type", type)])
    }

    private mutating func changeMounts() {
        let path = Self.watched + "/" + Self.folders[choice(Self.folders.count)]
        switch choice(5) {
        case 0, 1: emit([.word("file.mount"), .word(path)])
        case 2: emit([.word("file.umount"), .word(path), .word("lazy")])
        case 3:
            // Only what was mounted there can fail: the disk below everything goes on.
            emit([.word("file.mount"), .word(path)])
            emit([.word("file.fail"), .word(path), .word(["EIO", "ESTALE"][choice(2)])])
        default: emit([.word("file.umount"), .word(path)])
        }
    }
}

import KernelFormats
import Testing

/// Random command lines with and without secrets in them.
@Suite struct RedactionPropertyTests {
    /// Arguments that hold a secret at `%`; whether the secret may hold anything but NUL.
    private static let forms: [(arguments: [String], takesAny: Bool)] = [
        (["--password", "%"], true), (["--password=%"], true), (["--API_Key=%"], true),
        (["-token", "%"], true),
        (["PGPASSWORD=%"], true), (["mysql", "-p%"], true), (["sshpass", "-p", "%"], true),
        (["curl", "-u", "me:%"], true), (["-Dx.y.password=%"], true),
        (["-H", "Authorization: Bearer %"], false),
        (["-H", "X-Auth-Token: %"], false), (["postgres://app:%@db:5432/x"], false),
        (["--url=redis://:%@c"], false),
        (["https://h/p?access_token=%&page=2"], false), (["{\"password\":\"%\",\"n\":1}"], false),
        (["-o", "user=a,password=%,uid=0"], false),
        (["-c", "mysql -h db --password=% -e 'select 1'"], false),
        (["-c", "PGPASSWORD=% psql && true"], false), (["-c", "cd /; mysql -p% db|cat"], false),
        (["-lc", "curl -H \"Authorization: Bearer %\" http://h"], false), (["login --secret % -v"], false),
        (["-c", "curl -d \"{\\\"secret\\\":\\\"%\\\"}\" http://h"], false), (["--set=a.token=%"], true),
        (["ghp_0123456789abcdefghijABCDEFGHIJ%"], false),
    ]

    private static let benign = [
        "ls", "-la", "/usr/bin/x", "", "a b", "--verbose", "--file=/etc/x.conf", "user@host:/path", "80:80",
        "x=y",
        "--level", "3", "http://h:80/a?b=c", "\n", "\u{e9}", "{\"a\":1}", "&&", "--", "passwd", "monkey",
        "-x", ";",
        "it", "key:value",
    ]

    private func secret(_ generator: inout SeededGenerator, takesAny: Bool) -> [UInt8] {
        let plain = Array("abcdefghijkmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_".utf8)
        let odd = plain + Array(" !$/+=@:&;,\"'\\\n\u{e9}-.#?%(){}[]".utf8) + [0xff, 0x01]
        let count = 6 + Int(generator.next() % 20)
        // A letter first: what looks like an option is not taken for a value.
        return [0x71] + (0..<count).map { _ in generator.element(of: takesAny ? odd : plain) }
    }

    private func bytes(_ arguments: [[UInt8]]) -> [UInt8] { arguments.flatMap { $0 + [0] } }

    private func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        guard text.count >= part.count else { return false }
        return (0...text.count - part.count).contains { text[$0..<$0 + part.count].elementsEqual(part) }
    }

    @Test func `no planted secret comes through, its neighbours do, and a second time changes nothing`() {
        var generator = SeededGenerator(seed: 11)
        let redaction = ArgumentRedaction()
        for round in 0..<20_000 {
            let form = Self.forms[round % Self.forms.count]
            let secret = secret(&generator, takesAny: form.takesAny)
            let before = (0..<Int(generator.next() % 4)).map { _ in
                Array(generator.element(of: Self.benign).utf8)
            }
            let planted = form.arguments.map { text in
                text.utf8.reduce(into: [UInt8]()) { if $1 == 0x25 { $0 += secret } else { $0.append($1) } }
            }
            let after = (0..<Int(generator.next() % 4)).map { _ in
                Array(generator.element(of: Self.benign).utf8)
            }
            let given = bytes(before + planted + after)
            var result = given
            let count = redaction.redact(&result, executable: Array("/bin/tool".utf8)[...], isCut: false)
            let text = String(decoding: given, as: UTF8.self)
            #expect(count >= 1, "\(text)")
            #expect(!contains(result, secret), "\(text)")
            #expect(result.starts(with: bytes(before)), "\(text)")
            #expect(result.suffix(bytes(after).count).elementsEqual(bytes(after)), "\(text)")
            #expect(result.count { $0 == 0 } == given.count { $0 == 0 }, "the number of arguments")
            var again = result
            #expect(redaction.redact(&again, executable: Array("/bin/tool".utf8)[...], isCut: false) == 0)
            #expect(again == result, "\(text)")
        }
    }

    @Test func `wherever a command line is cut, not even the beginning of a secret comes through`() {
        var generator = SeededGenerator(seed: 12)
        for form in Self.forms {
            let secret = secret(&generator, takesAny: form.takesAny)
            let given = bytes(
                [Array("tool".utf8)]
                    + form.arguments.map { text in
                        text.utf8.reduce(into: [UInt8]()) {
                            if $1 == 0x25 { $0 += secret } else { $0.append($1) }
                        }
                    })
            for end in 1..<given.count {
                var result = Array(given[..<end])
                _ = ArgumentRedaction().redact(&result, executable: nil, isCut: true)
                #expect(
                    !contains(result, Array(secret.prefix(4))),
                    "\(String(decoding: given[..<end], as: UTF8.self))")
            }
        }
    }

    @Test func `command lines without secrets stay as they are`() {
        var generator = SeededGenerator(seed: 13)
        for _ in 0..<20_000 {
            let given = bytes(
                (0..<Int(generator.next() % 12)).map { _ in Array(generator.element(of: Self.benign).utf8) })
            var result = given
            #expect(ArgumentRedaction().redact(&result, executable: nil, isCut: false) == 0)
            #expect(result == given)
        }
    }

    @Test func `any bytes whatever are taken, and a second time changes nothing`() {
        var generator = SeededGenerator(seed: 14)
        let pieces = [
            "password", "--token", "=", ":", "\"", "'", "\\", "://", "@", " ", "-p", "mysql", "Bearer", "\0",
            "{", "&",
            "x", "/", "?", "ghp_", "-c", "login",
        ]
        for _ in 0..<20_000 {
            var given = (0..<Int(generator.next() % 20)).flatMap { _ in
                generator.next() % 8 == 0
                    ? [generator.integer(UInt8.self)] : Array(generator.element(of: pieces).utf8)
            }
            let isCut = generator.next() % 4 == 0
            _ = ArgumentRedaction().redact(&given, executable: nil, isCut: isCut)
            var again = given
            _ = ArgumentRedaction().redact(&again, executable: nil, isCut: isCut)
            #expect(again == given, "\(String(decoding: given, as: UTF8.self))")
        }
    }

    @Test(arguments: [
        "://", "://u:", "password=", "--password ", "'", "\"", "\\\"", "mysql -p", "-u ", "a://u:p@",
        "token:", "eyJ",
        "-----BEGIN ", "--",
    ])
    func `a long argument takes time in proportion to its length`(piece: String) {
        var given = Array(repeating: Array(piece.utf8), count: 1_000_000 / piece.utf8.count).flatMap { $0 }
        _ = ArgumentRedaction().redact(&given, executable: Array("/usr/bin/curl".utf8)[...], isCut: false)
        // A quadratic scan of a megabyte would not end within the time of a test run.
        #expect(!given.isEmpty)
    }

    @Test(arguments: [
        "echo ", "echo x|", "echo \"", "echo | sudo -S ", "mysql by ' ", "mysql password (", "vault put a=b ",
        "sqlplus a@b ", "redis-cli auth ", "isql a\"b ", "htpasswd -b ",
    ])
    func `a long script takes time in proportion to its length`(piece: String) {
        let script = Array(repeating: Array(piece.utf8), count: 40_000 / piece.utf8.count).flatMap { $0 }
        var given = Array("sh\0-c\0".utf8) + script
        _ = ArgumentRedaction().redact(&given, executable: Array("/bin/sh".utf8)[...], isCut: false)
        // A quadratic scan would not end within the time of a test run.
        #expect(!given.isEmpty)
    }
}

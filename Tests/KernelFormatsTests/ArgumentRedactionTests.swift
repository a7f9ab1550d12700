import KernelFormats
import Testing

@Suite struct ArgumentRedactionTests {
    /// Redacts arguments, and gives them back as texts.
    private func redact(
        _ arguments: [String], exe: String = "/usr/bin/tool", names: [String] = [], isCut: Bool = false
    ) -> (arguments: [String], count: Int) {
        var bytes = Array(arguments.joined(separator: "\0").utf8)
        if !isCut { bytes.append(0) }
        let count = ArgumentRedaction(additionalNames: names)
            .redact(&bytes, executable: Array(exe.utf8)[...], isCut: isCut)
        let parts = bytes.split(separator: 0, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        return (isCut ? parts : parts.dropLast(), count)
    }

    @Test(arguments: [
        (["tool", "--password", "x"], ["tool", "--password", "[redacted]"]),
        (["tool", "--password=x y z"], ["tool", "--password=[redacted]"]),
        (["tool", "--Api-Key", "x", "--port", "80"], ["tool", "--Api-Key", "[redacted]", "--port", "80"]),
        (["tool", "--api_key=x"], ["tool", "--api_key=[redacted]"]),
        (["tool", "-token", "x"], ["tool", "-token", "[redacted]"]),
        (["tool", "--passphrase", "a b c"], ["tool", "--passphrase", "[redacted]"]),
        (["tool", "--password", "-x0!"], ["tool", "--password", "[redacted]"]),
        (["java", "-Dspring.datasource.password=x"], ["java", "-Dspring.datasource.password=[redacted]"]),
        (["env", "PGPASSWORD=x", "psql"], ["env", "PGPASSWORD=[redacted]", "psql"]),
        (["env", "MYSQL_PWD=x"], ["env", "MYSQL_PWD=[redacted]"]),
        (["docker", "run", "-e", "GITHUB_TOKEN=x"], ["docker", "run", "-e", "GITHUB_TOKEN=[redacted]"]),
        (["mount", "-o", "user=a,password=b,uid=0"], ["mount", "-o", "user=a,password=[redacted],uid=0"]),
        (["tool", "Server=h;Uid=u;Pwd=x;Port=1"], ["tool", "Server=h;Uid=u;Pwd=[redacted];Port=1"]),
        (["openssl", "enc", "-pass", "pass:x y"], ["openssl", "enc", "-pass", "[redacted]"]),
        (["openssl", "enc", "-passin", "pass:x y"], ["openssl", "enc", "-passin", "pass:[redacted]"]),
    ])
    func `the value of a name that tells of a secret is replaced`(given: [String], expected: [String]) {
        let result = redact(given)
        #expect(result.arguments == expected)
        #expect(result.count == 1)
    }

    @Test(arguments: [
        ("http://u:x@host/", "http://u:[redacted]@host/"),
        ("postgres://u:x@y@host:5432/db?a=b", "postgres://u:[redacted]@host:5432/db?a=b"),
        ("postgres://u:x/y+z=@host/db", "postgres://u:[redacted]@host/db"),
        ("redis://:x@host", "redis://:[redacted]@host"),
        ("https://0123456789abcdef0123456789abcdef@sentry.io/1", "https://[redacted]@sentry.io/1"),
        ("https://h/p?token=x&page=2", "https://h/p?token=[redacted]&page=2"),
        ("https://h/p?a=b&access_token=x#top", "https://h/p?a=b&access_token=[redacted]"),
    ])
    func `what an address carries of a secret is replaced`(given: String, expected: String) {
        #expect(redact(["tool", given]).arguments == ["tool", expected])
        #expect(redact(["tool", "--url=\(given)"]).arguments == ["tool", "--url=\(expected)"])
    }

    @Test(arguments: [
        ("Authorization: Bearer x", "Authorization: Bearer [redacted]"),
        ("authorization: x y", "authorization: [redacted]"),
        ("X-Api-Key: x", "X-Api-Key: [redacted]"),
        ("Cookie: a=b; c=d", "Cookie: [redacted]"),
        ("PRIVATE-TOKEN:x", "PRIVATE-TOKEN:[redacted]"),
        (#"{"user":"u","password":"x \" y","n":1}"#, #"{"user":"u","password":"[redacted]","n":1}"#),
        (#"{"password" : "x"}"#, #"{"password" : "[redacted]"}"#),
        ("user=a&password=x&b=c", "user=a&password=[redacted]&b=c"),
    ])
    func `headers and bodies of requests lose their secrets`(given: String, expected: String) {
        #expect(
            redact(["curl", "-H", given, "https://h/"]).arguments == ["curl", "-H", expected, "https://h/"])
    }

    @Test(arguments: [
        ("mysql --password=x -e 'select 1'", "mysql --password=[redacted] -e 'select 1'"),
        ("mysql --password x; ls", "mysql --password [redacted]; ls"),
        ("PGPASSWORD=x psql -h db && true", "PGPASSWORD=[redacted] psql -h db && true"),
        ("PGPASSWORD='x y' psql", "PGPASSWORD='[redacted]' psql"),
        ("mysql -px db", "mysql -p[redacted] db"),
        ("sudo /usr/bin/mysqldump -px", "sudo /usr/bin/mysqldump -p[redacted]"),
        (
            #"curl -H "Authorization: Bearer x" http://h"#,
            #"curl -H "Authorization: Bearer [redacted]" http://h"#
        ),
        (#"curl -d "{\"password\":\"x\"}" http://h"#, #"curl -d "{\"password\":\"[redacted]\"}" http://h"#),
        ("curl -u me:x http://h", "curl -u me:[redacted] http://h"),
        ("echo a|sshpass -p x ssh h", "echo a|sshpass -p [redacted] ssh h"),
    ])
    func `a script in one argument is looked through word by word`(given: String, expected: String) {
        #expect(redact(["sh", "-c", given]).arguments == ["sh", "-c", expected])
    }

    @Test(arguments: [
        ("mysql", ["-pS3cr$t!", "-h", "db"], ["-p[redacted]", "-h", "db"]),
        ("mariadb-dump", ["-px"], ["-p[redacted]"]), ("mysql", ["-p", "db"], ["-p", "db"]),
        ("sshpass", ["-p", "x", "ssh", "h"], ["-p", "[redacted]", "ssh", "h"]),
        ("curl", ["-u", "me:x:y", "h"], ["-u", "me:[redacted]", "h"]),
        ("curl", ["-ume:x"], ["-ume:[redacted]"]),
        ("curl", ["--user", "me:x"], ["--user", "me:[redacted]"]),
        ("curl", ["--user=me:x"], ["--user=me:[redacted]"]),
        ("redis-cli", ["-a", "x", "PING"], ["-a", "[redacted]", "PING"]),
        ("smbclient", ["-U", "me%x"], ["-U", "me%[redacted]"]),
        ("docker", ["login", "-u", "me", "-p", "x"], ["login", "-u", "me", "-p", "[redacted]"]),
        ("docker", ["run", "-p", "80:80"], ["run", "-p", "80:80"]),
        ("ssh", ["-p", "22", "h"], ["-p", "22", "h"]),
        ("mkdir", ["-p", "/x"], ["-p", "/x"]), ("7za", ["a", "-px", "f"], ["a", "-p[redacted]", "f"]),
        ("ldapsearch", ["-w", "x"], ["-w", "[redacted]"]),
    ])
    func `short options are secrets where the program says so`(
        program: String, given: [String], expected: [String]
    ) {
        #expect(redact([program] + given, exe: "/usr/bin/\(program)").arguments == [program] + expected)
        #expect(
            redact(["sudo", program] + given, exe: "/usr/bin/sudo").arguments == ["sudo", program] + expected)
    }

    @Test(arguments: [
        "AKIAIOSFODNN7EXAMPLE", "ghp_0123456789abcdefghijABCDEFGHIJ012345", "glpat-0123456789abcdefghij",
        "xoxb-123456789012-abcdefghij", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    ])
    func `a token that says what it is needs no name`(token: String) {
        #expect(redact(["tool", token, "x"]).arguments == ["tool", "[redacted]", "x"])
    }

    @Test(arguments: [
        ["ls", "-la", "/etc/passwd"], ["grep", "-r", "password", "."],
        ["tool", "--password-file=/run/secrets/x"],
        ["tool", "--token-file", "/x"], ["docker", "run", "-v", "/etc/passwd:/etc/passwd:ro", "-p", "80:80"],
        ["tool", "--ask-password", "host"], ["tool", "--no-password", "host"], ["tool", "--password"],
        ["tool", "--password", "--user", "x"], ["tool", "--use-token=false"],
        ["env", "PWD=/home/x", "OLDPWD=/"],
        ["rsync", "-e", "ssh -p 22", "a@b:/c"], ["git", "clone", "ssh://git@github.com/a/b"],
        ["curl", "http://localhost:8080/a@b"], ["curl", "http://[::1]:80/"], ["tar", "--bypass=x"],
        ["AKIAIOSFODNN7EXAMPLES"], ["", "", ""], ["python3", "-c", "print('a:b')"], ["tool", "--password="],
        ["sshd: user@pts/0"], ["nginx: worker process"], ["cc1", "-Wkey=x", "-I/usr/include", "a.c"],
        ["tool", "max_tokens=5"], ["--", "-", "=", ":", "://", "@"],
    ])
    func `what is no secret stays as it is`(arguments: [String]) {
        let result = redact(arguments)
        #expect(result.arguments == arguments)
        #expect(result.count == 0)
    }

    @Test func `names can be added, however they are spelled`() {
        let given = ["tool", "--Launch_Code", "x", "LAUNCH.CODE=y", "launch-code: z", "--launch-codes", "w"]
        #expect(redact(given).count == 0)
        let result = redact(given, names: ["launch-code", ""])
        #expect(
            result.arguments == [
                "tool", "--Launch_Code", "[redacted]", "LAUNCH.CODE=[redacted]", "launch-code: [redacted]",
                "--launch-codes", "w",
            ])
        #expect(result.count == 3)
    }

    @Test(arguments: [
        ("postgres://u:secr", "postgres://u:[redacted]"), ("http://u:123", "http://u:[redacted]"),
        ("ghp_0123", "[redacted]"), ("--password=se", "--password=[redacted]"),
        ("Authorization: Bearer ab", "Authorization: Bearer [redacted]"),
        ("{\"password\":\"ab", "{\"password\":\"[redacted]"), ("eyJhbGci", "[redacted]"),
    ])
    func `the beginning of a secret that was cut off is one, too`(given: String, expected: String) {
        #expect(redact(["tool", given], isCut: true).arguments == ["tool", expected])
    }

    /// Found by the swarm: a title has no more room than the arguments had, and nothing says where it was cut.
    @Test func `a title that is cut within the password of a URL does not tell the beginning of it`() {
        var title = Array("cc1: worker http://me:s3cr\0\0\0".utf8)
        #expect(ArgumentRedaction().redact(&title, executable: nil, isCut: false) == 1)
        #expect(String(decoding: title, as: UTF8.self) == "cc1: worker http://me:[redacted]\0\0\0")
        // Behind other arguments it is a tag, and behind a colon may be a port.
        for line in ["skopeo\0copy\0docker://alpine:latest\0", "GET http://me:8080\0"] {
            var bytes = Array(line.utf8)
            #expect(ArgumentRedaction().redact(&bytes, executable: nil, isCut: false) == 0)
        }
    }
}

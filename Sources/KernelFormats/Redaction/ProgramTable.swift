/// The programs that are known, each with where its secrets stand; sources are their manual pages.
extension ProgramOptions {
    private init(_ rules: [Rule], switches: String = "", commands: [Command] = [], isSQL: Bool = false) {
        self.init(rules: rules, switches: switches, commands: commands, operand: nil, isSQL: isSQL)
    }

    /// The value of a short option of that letter, behind it or in the next word.
    private static func letters(_ letters: String, needs: Contexts = []) -> Rule {
        Rule(attached: letters.map(String.init), separate: letters, needs: needs)
    }

    private static func command(_ word: String, skipping: Int = 0, part: Part = .whole, repeats: Bool = false)
        -> Command
    {
        Command(word: word, operand: Operand(skipping: skipping, part: part, repeats: repeats))
    }

    private static func names(_ rules: [Rule] = [], commands: [Command] = []) -> ProgramOptions {
        ProgramOptions(rules: rules, commands: commands, takesNames: true)
    }

    private static let database = Rule(attached: ["p"])
    private static let password = ProgramOptions([letters("p")])
    private static let capital = ProgramOptions([letters("P")])
    private static let login = ProgramOptions([letters("p", needs: .login)])
    private static let statements = ProgramOptions(isSQL: true)
    private static let colon: UInt8 = 0x3a
    private static let equals: UInt8 = 0x3d
    private static let samba = ProgramOptions(
        [
            Rule(attached: ["U"], separate: "U", long: ["--user"], part: .behind(0x25))
        ], commands: [command("password", skipping: 1)])
    private static let web = ProgramOptions([
        Rule(attached: ["a"], separate: "a", long: ["--auth"], part: .account(colon))
    ])
    private static let account = ProgramOptions([
        Rule(attached: ["u"], separate: "u", long: ["--user"], part: .account(colon))
    ])
    private static let curl = ProgramOptions(
        [
            Rule(
                attached: ["u", "U"], separate: "uU", long: ["--user", "--proxy-user"], part: .account(colon)),
            Rule(attached: ["E"], separate: "E", long: ["--cert", "--proxy-cert"], part: .behind(colon)),
            Rule(attached: ["b"], separate: "b", long: ["--cookie"], part: .behind(equals)),
        ], switches: "sSfLkvgiIjNnOqRaBGlp#0123456Z")
    private static let oracle = ProgramOptions(operand: Operand(part: .connection))
    private static let put = Operand(skipping: 1, part: .behind(equals), repeats: true)
    private static let set = Operand(part: .behind(equals), repeats: true)

    /// `-b` for a password among the arguments, `-n` for no file before it.
    private static let batch = ProgramOptions(
        commands: ["-b", "-cb", "-bc", "-bb", "-cbb", "-bcb", "-bbc"].map { command($0, skipping: 2) }
            + ["-nb", "-bn", "-nbb", "-bnb", "-bbn"].map { command($0, skipping: 1) })

    static let entries: [Entry] = [
        // Databases.
        Entry(
            name: "mysqladmin",
            options: ProgramOptions([database], commands: [command("password"), command("old-password")])),
        Entry(
            name: "mysqlsh",
            options: ProgramOptions(
                rules: [database, Rule(long: ["--uri"], part: .address)],
                operand: Operand(part: .address), isSQL: true)),
        Entry(name: "mysql", isPrefix: true, options: ProgramOptions([database], isSQL: true)),
        Entry(name: "mariadb", isPrefix: true, options: ProgramOptions([database], isSQL: true)),
        Entry(name: "mycli", options: ProgramOptions([letters("p")], isSQL: true)),
        Entry(name: "psql", options: statements), Entry(name: "pgcli", options: statements),
        Entry(name: "sqlite3", options: statements),
        Entry(name: "clickhouse", isPrefix: true, options: statements),
        Entry(name: "mongod", options: ProgramOptions()), Entry(name: "mongos", options: ProgramOptions()),
        Entry(name: "mongo", isPrefix: true, options: password),
        Entry(name: "cqlsh", options: ProgramOptions([letters("p")], isSQL: true)),
        Entry(name: "cypher-shell", options: password),
        Entry(
            name: "redis-cli",
            options: ProgramOptions(
                rules: [Rule(separate: "a")], commands: [command("auth", repeats: true)], takesNames: true)),
        Entry(
            name: "valkey-cli",
            options: ProgramOptions(
                rules: [Rule(separate: "a")], commands: [command("auth", repeats: true)], takesNames: true)),
        Entry(name: "redis-benchmark", options: ProgramOptions([Rule(separate: "a")])),
        Entry(name: "sqlplus", options: oracle), Entry(name: "sqlldr", options: oracle),
        Entry(name: "impdp", options: oracle), Entry(name: "expdp", options: oracle),
        Entry(name: "isql", options: ProgramOptions(operand: Operand(skipping: 2))),
        Entry(name: "sqlcmd", options: ProgramOptions([letters("P")], isSQL: true)),
        Entry(name: "bcp", options: capital),
        Entry(name: "tsql", options: capital),
        Entry(name: "cbq", options: password), Entry(name: "couchbase-cli", options: password),
        Entry(name: "elasticsearch-users", options: password),
        Entry(name: "neo4j-admin", options: ProgramOptions(commands: [command("set-initial-password")])),
        Entry(
            name: "rabbitmqctl",
            options: ProgramOptions(commands: [
                command("add_user", skipping: 1), command("change_password", skipping: 1),
                command("authenticate_user", skipping: 1),
            ])),
        Entry(name: "rabbitmqadmin", options: password),
        Entry(name: "etcdctl", options: ProgramOptions([Rule(long: ["--user"], part: .account(colon))])),
        Entry(name: "mosquitto_passwd", options: batch), Entry(name: "htpasswd", options: batch),
        Entry(name: "mosquitto_", isPrefix: true, options: capital),
        // Directories, hosts and shares.
        Entry(name: "ldappasswd", options: ProgramOptions([letters("was")])),
        Entry(name: "ldap", isPrefix: true, options: ProgramOptions([letters("w")], switches: "xLvncZ")),
        Entry(name: "sshpass", options: password),
        Entry(name: "ssh-keygen", options: ProgramOptions([letters("NP")])),
        Entry(name: "smbclient", options: samba), Entry(name: "rpcclient", options: samba),
        Entry(name: "smbget", options: samba), Entry(name: "net", options: samba),
        Entry(name: "winexe", options: samba), Entry(name: "wmic", options: samba),
        Entry(name: "rdesktop", options: password),
        Entry(name: "xfreerdp", isPrefix: true, options: ProgramOptions(takesSlash: true)),
        Entry(name: "wlfreerdp", isPrefix: true, options: ProgramOptions(takesSlash: true)),
        Entry(name: "sdl-freerdp", isPrefix: true, options: ProgramOptions(takesSlash: true)),
        Entry(name: "evil-winrm", options: password), Entry(name: "crackmapexec", options: password),
        Entry(name: "netexec", options: password), Entry(name: "nxc", options: password),
        Entry(name: "hydra", options: password),
        Entry(name: "impacket-", isPrefix: true, options: ProgramOptions(operand: Operand(part: .address))),
        Entry(name: "secretsdump.py", options: ProgramOptions(operand: Operand(part: .address))),
        Entry(name: "psexec.py", options: ProgramOptions(operand: Operand(part: .address))),
        Entry(name: "wmiexec.py", options: ProgramOptions(operand: Operand(part: .address))),
        Entry(name: "useradd", options: password), Entry(name: "usermod", options: password),
        Entry(name: "ipmitool", options: capital),
        Entry(name: "snmp", isPrefix: true, options: ProgramOptions([letters("AXc")])),
        Entry(name: "nmcli", options: names()),
        Entry(name: "wpa_passphrase", options: ProgramOptions(operand: Operand(skipping: 1))),
        Entry(name: "virsh", options: ProgramOptions(commands: [command("secret-set-value", skipping: 1)])),
        Entry(
            name: "lftp",
            options: ProgramOptions([
                Rule(attached: ["u"], separate: "u", part: .behind(Ascii.comma))
            ])),
        Entry(name: "ncftp", isPrefix: true, options: password),
        Entry(name: "swaks", options: ProgramOptions([Rule(long: ["-ap"])])),
        Entry(name: "sendemail", options: ProgramOptions([Rule(long: ["-xp"])])),
        // Archives and keys.
        Entry(name: "7z", isPrefix: true, options: ProgramOptions([database])),
        Entry(name: "rar", options: ProgramOptions([Rule(attached: ["p", "hp"])])),
        Entry(name: "unrar", options: ProgramOptions([database])),
        Entry(name: "zip", options: capital), Entry(name: "unzip", options: capital),
        Entry(name: "zipcloak", options: capital),
        Entry(
            name: "openssl",
            options: ProgramOptions([Rule(separate: "kK")], commands: [command("passwd", repeats: true)])),
        Entry(name: "ansible-vault", options: ProgramOptions(commands: [command("encrypt_string")])),
        Entry(
            name: "bw",
            options: ProgramOptions(
                [Rule(long: ["--session"])], commands: [command("unlock"), command("login", skipping: 1)])),
        Entry(name: "ykman", options: ProgramOptions([letters("Pp")])),
        // Containers and clouds.
        Entry(name: "docker", options: login), Entry(name: "podman", options: login),
        Entry(name: "skopeo", options: login), Entry(name: "buildah", options: login),
        Entry(name: "nerdctl", options: login), Entry(name: "helm", options: login),
        Entry(name: "crane", options: login), Entry(name: "az", options: login),
        Entry(
            name: "oc",
            options: ProgramOptions([
                letters("p", needs: .login),
                Rule(long: ["--from-literal"], part: .behind(equals), needs: .secret),
            ])),
        Entry(
            name: "kubectl",
            options: ProgramOptions([Rule(long: ["--from-literal"], part: .behind(equals), needs: .secret)])),
        Entry(name: "ctr", options: account),
        Entry(name: "crictl", options: ProgramOptions([Rule(long: ["--auth"])])),
        Entry(
            name: "aws",
            options: names([
                Rule(long: ["--secret-string", "--secret-binary"]),
                Rule(long: ["--value"], needs: .parameter),
            ])),
        Entry(name: "gcloud", options: names()),
        Entry(
            name: "vault",
            options: ProgramOptions(commands: [
                command("login"), Command(word: "put", operand: put), Command(word: "patch", operand: put),
                Command(word: "write", operand: put), command("unseal"), command("unwrap"),
            ])),
        Entry(name: "rclone", options: names()),
        Entry(
            name: "mc",
            options: ProgramOptions(commands: [
                Command(word: "set", operand: Operand(skipping: 3)),
                Command(word: "add", operand: Operand(skipping: 3)),
            ])),
        Entry(name: "heroku", options: ProgramOptions(commands: [Command(word: "set", operand: set)])),
        Entry(name: "fly", options: ProgramOptions(commands: [Command(word: "set", operand: set)])),
        Entry(name: "flyctl", options: ProgramOptions(commands: [Command(word: "set", operand: set)])),
        Entry(name: "doctl", options: ProgramOptions([letters("t")])),
        Entry(
            name: "ngrok",
            options: ProgramOptions(commands: [command("authtoken"), command("add-authtoken")])),
        Entry(name: "grafana-cli", options: ProgramOptions(commands: [command("reset-admin-password")])),
        // Packages and forges.
        Entry(name: "npm", options: names()), Entry(name: "yarn", options: names()),
        Entry(name: "pnpm", options: names()),
        Entry(name: "twine", options: password),
        Entry(
            name: "poetry",
            options: ProgramOptions(
                [letters("p")],
                commands: [
                    command("pypi-token.pypi"), command("http-basic.pypi", skipping: 1),
                ])),
        Entry(name: "cargo", options: ProgramOptions(commands: [command("login")])),
        Entry(name: "nuget", options: ProgramOptions([Rule(separate: "k")])),
        Entry(name: "gh", options: ProgramOptions([Rule(separate: "b", long: ["--body"], needs: .secret)])),
        Entry(name: "glab", options: ProgramOptions([letters("t", needs: .login)])),
        Entry(name: "gitlab-runner", options: ProgramOptions([Rule(separate: "r")])),
        // The web.
        Entry(name: "curl", options: curl),
        Entry(name: "http", options: web), Entry(name: "https", options: web),
        Entry(name: "xh", options: web),
        Entry(name: "hey", options: web),
        Entry(
            name: "ab",
            options: ProgramOptions([Rule(attached: ["A", "P"], separate: "AP", part: .account(colon))])),
        Entry(name: "youtube-dl", options: password), Entry(name: "yt-dlp", options: password),
    ]
}

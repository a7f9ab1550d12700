import KernelFormats
import Testing

/// Forms that programs in daily use take; what stands for the secret is `S3cr`.
@Suite struct ProgramRedactionTests {
    private func redact(_ line: String) -> String {
        let arguments = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        var bytes = Array(arguments.joined(separator: "\0").utf8) + [0]
        let executable = Array("/usr/bin/\(arguments[0])".utf8)
        _ = ArgumentRedaction().redact(&bytes, executable: executable[...], isCut: false)
        return bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\t")
    }

    @Test(arguments: [
        // Letters together, and in front of others.
        "curl\t-sSu\tme:S3cr\th", "curl\t-sSLume:S3cr\th", "ldapsearch\t-xw\tS3cr", "rar\ta\t-hpS3cr\tx",
        // Accounts and tokens in their place.
        "curl\t-u\tS3cr0123456789abcdefghij:\th", "curl\t-E\tx.pem:S3cr", "curl\t--cookie\tsid=S3cr",
        "skopeo\tcopy\t--src-creds\tme:S3cr\ta\tb", "etcdctl\t--user=root:S3cr", "java\t-auth\tme:S3cr",
        "docker\tlogin\t-u\tmysql\t-p\tS3cr", "ctr\timages\tpull\t-u\tme:S3cr",
        "git\tclone\thttps://S3cr0123456789abcdefghij:x-oauth-basic@github.com/a",
        "mysqlsh\tme:S3cr@h:33060", "sqlplus\t-s\tme/S3cr@db", "impacket-psexec\tdom/me:S3cr@h",
        "xfreerdp\t/u:me\t/p:S3cr\t/v:h", "plink\t-pw\tS3cr\tme@h", "swaks\t-ap\tS3cr",
        // Operands.
        "htpasswd\t-b\tf\tme\tS3cr", "htpasswd\t-nbB\tme\tS3cr", "mysqladmin\t-u\troot\tpassword\tS3cr",
        "redis-cli\t-h\th\tAUTH\tme\tS3cr", "openssl\tpasswd\t-6\tS3cr", "vault\tlogin\tS3cr",
        "vault\tkv\tput\tsecret/x\ta=S3cr\tb=S3cr", "flyctl\tsecrets\tset\tA=S3cr\tB=S3cr",
        "heroku\tconfig:set\tA=S3cr", "rabbitmqctl\tadd_user\tme\tS3cr", "bw\tunlock\tS3cr",
        "mc\talias\tset\tm\thttps://h\tACCESS\tS3cr", "wpa_passphrase\tSSID\tS3cr", "isql\tdsn\tme\tS3cr",
        // Names without a sign.
        "aws\tconfigure\tset\taws_secret_access_key\tS3cr", "redis-cli\tCONFIG\tSET\trequirepass\tS3cr",
        "npm\tconfig\tset\t//registry.npmjs.org/:_authToken\tS3cr", "nmcli\tcon\tmod\tx\twifi-sec.psk\tS3cr",
        "kubectl\tcreate\tsecret\tgeneric\tx\t--from-literal=a=S3cr",
        "aws\tssm\tput-parameter\t--name\tx\t--value\tS3cr",
        // Names.
        "tool\t--pw=S3cr", "env\tDB_PW=S3cr", "env\tCREDS=me:S3cr", "tool\t--oauth2-bearer\tS3cr",
        "env\tSECRET_KEY_BASE=S3cr", "env\tSTRIPE_KEY=S3cr", "env\tNPM_AUTH=me:S3cr", "tool\t--so-pin\tS3cr",
        "curl\t-H\tOcp-Apim-Subscription-Key: S3cr", "curl\thttps://h/x?X-Amz-Signature=S3cr&a=b",
        // Addresses that are secrets.
        "curl\thttps://hooks.slack.com/services/T0/B0/S3cr",
        "curl\thttps://api.telegram.org/bot1234:S3cr/sendMessage",
        // Statements and scripts.
        "psql\t-c\tALTER USER me WITH PASSWORD 'S3cr'", "mysql\t-e\tSET PASSWORD FOR me = PASSWORD('S3cr')",
        "sh\t-c\tmysql -e \"CREATE USER me IDENTIFIED BY 'S3cr'\"",
        "sh\t-c\techo S3cr | sudo -S ls", "sh\t-c\techo 'me:S3cr' | chpasswd; ls",
        "sh\t-c\tprintf '%s' S3cr | docker login -u me --password-stdin",
        "sh\t-c\thtpasswd -b f me S3cr && ls", "sh\t-c\tmysql -e 'a; b' -pS3cr",
        "sh\t-c\tmysql -h $(cat h) -pS3cr 2>&1", "ssh\th\tredis-cli auth S3cr",
        "tool\tsk-proj-S3cr0123456789abcdef",
    ])
    func `the secret of a form in daily use is replaced`(line: String) {
        let result = redact(line)
        #expect(!result.contains("S3cr"), "\(result)")
        #expect(result.contains("[redacted]"))
    }

    @Test(arguments: [
        ("curl\t-sSu\tme:x\th", "curl\t-sSu\tme:[redacted]\th"),
        ("sqlplus\tme/x@db", "sqlplus\tme/[redacted]@db"),
        (
            "redis-cli\t-h\th\tCONFIG\tSET\trequirepass\tx",
            "redis-cli\t-h\th\tCONFIG\tSET\trequirepass\t[redacted]"
        ),
        ("mysqlsh\tme:x@h:1", "mysqlsh\tme:[redacted]@h:1"),
        ("https\thttps://api.telegram.org/bot1:x/send", "https\thttps://api.telegram.org/bot[redacted]/send"),
        ("sh\t-c\techo x | chpasswd; ls /", "sh\t-c\techo [redacted] | chpasswd; ls /"),
        (
            "sh\t-c\tdocker login -p x; docker run -p 80:80 a",
            "sh\t-c\tdocker login -p [redacted]; docker run -p 80:80 a"
        ),
        ("psql\t-c\tALTER USER me PASSWORD 'x' VALID", "psql\t-c\tALTER USER me PASSWORD '[redacted]' VALID"),
        ("vault\tkv\tput\tp\ta=x\tb=y", "vault\tkv\tput\tp\ta=[redacted]\tb=[redacted]"),
    ])
    func `no more than the secret is replaced`(line: String, expected: String) {
        #expect(redact(line) == expected)
    }

    @Test(arguments: [
        "docker\trun\t-p\t80:80\t--user\t1000:1000\tredis", "docker\tsecret\tcreate\tx\t/f",
        "docker\tpull\talpine:3@sha256:abcdef0123456789abcdef", "kubectl\tget\tsecrets\t-n\tx",
        "kubectl\tcreate\tconfigmap\tx\t--from-literal=a=b", "npm\ttoken\tlist",
        "aws\tecr\tget-login-password\t--region\teu-1", "aws\tconfigure\tset\tregion\teu-1",
        "gcloud\tsecrets\tlist", "vault\tkv\tget\tsecret/x", "redis-cli\tCONFIG\tSET\tmaxmemory\t1gb",
        "mysql\t-e\tselect a from b order by 'x'", "openssl\trand\t-hex\t32", "htpasswd\t-c\tf\tme",
        "sqlplus\t/\tas\tsysdba", "sqlplus\t@/a/b.sql", "curl\t-b\tjar.txt\t-E\tx.pem\t-u\tme\th",
        "curl\t-d\t{\"email\":\"a@b.c\"}", "initdb\t--auth=md5\t--auth-host\ttrust", "env\tSMTP_AUTH=plain",
        "env\tSSH_KEY=/root/.ssh/id\tGPG_KEY=E3FF2839\tSSH_AUTH_SOCK=/x", "sort\t-k\t2\t--key=3",
        "sh\t-c\techo hello | wc -c", "find\t/\t-name\tmysql\t-print", "tool\t/p:x",
        "nmcli\tcon\tmod\tx\tipv4.method\tauto", "gh\tissue\tcreate\t--body\tx", "useradd\t-m\tme",
        "git\tcommit\t-m\tfix: password handling in login", "tool\tset\tpassword\tx",
    ])
    func `arguments of the same programs that are no secrets stay as they are`(line: String) {
        #expect(redact(line) == line)
    }
}

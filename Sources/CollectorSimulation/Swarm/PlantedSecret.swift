/// Secrets that the swarm plants in command lines, to see whether one of them comes out anywhere.
///
/// Each is a row of markers, so that a small part of a secret is found, too.
package enum PlantedSecret {
    /// Text that nothing else on a host has.
    package static let marker = Array("cAnArY".utf8)

    /// Arguments that hold a secret where the sign `%` stands.
    struct Form: Sendable {
        var arguments: [String]
        /// Whether the secret may hold blanks and signs that a script or an address would take for their own.
        var takesAnyByte = false
    }

    static let plainGlue = ["", "7", "-", "_", "."]
    static let oddGlue = [
        "", "7", " ", "!", "$", "/", "+=", "@", ":", "&", ";", ",", "\"", "'", "\\", "\u{e9}", "\n",
    ]

    static let forms: [Form] = [
        Form(arguments: ["--password", "%"], takesAnyByte: true),
        Form(arguments: ["--password=%"], takesAnyByte: true),
        Form(arguments: ["--API_Key=%"], takesAnyByte: true),
        Form(arguments: ["-token", "%"], takesAnyByte: true),
        Form(arguments: ["PGPASSWORD=%"], takesAnyByte: true),
        Form(arguments: ["mysql", "-p%"], takesAnyByte: true),
        Form(arguments: ["sshpass", "-p", "%"], takesAnyByte: true),
        Form(arguments: ["curl", "-u", "me:%"], takesAnyByte: true),
        Form(arguments: ["-Dspring.datasource.password=%"], takesAnyByte: true),
        Form(arguments: ["-H", "Authorization: Bearer %"]), Form(arguments: ["-H", "X-Auth-Token: %"]),
        Form(arguments: ["postgres://app:%@db:5432/x"]), Form(arguments: ["--url=redis://:%@cache"]),
        Form(arguments: ["https://h/p?access_token=%&page=2"]),
        Form(arguments: ["{\"password\":\"%\",\"n\":1}"]),
        Form(arguments: ["-o", "user=a,password=%,uid=0"]),
        Form(arguments: ["-c", "mysql -h db --password=% -e 'select 1'"]),
        Form(arguments: ["-c", "PGPASSWORD=% psql && true"]),
        Form(arguments: ["-c", "cd /; mysql -p% db|cat"]),
        Form(arguments: ["-lc", "curl -H \"Authorization: Bearer %\" http://h"]),
        Form(arguments: ["-c", "curl -d \"{\\\"secret\\\":\\\"%\\\"}\" http://h"]),
    ]

    /// What stands behind a title.
    static let titles = [" --password %", " --token=% -v", " http://me:%@h/", " API_KEY=%"]

    static func fill(_ form: String, with secret: [UInt8]) -> [UInt8] {
        form.utf8.reduce(into: []) { text, byte in
            if byte == 0x25 { text += secret } else { text.append(byte) }
        }
    }

    /// Whether a part of a planted secret stands in a text.
    package static func isIn(_ text: Span<UInt8>) -> Bool {
        var index = 0
        while index + marker.count <= text.count {
            if text[index] == marker[0], stands(in: text, at: index) { return true }
            index += 1
        }
        return false
    }

    private static func stands(in text: Span<UInt8>, at index: Int) -> Bool {
        for offset in marker.indices where text[index + offset] != marker[offset] { return false }
        return true
    }
}

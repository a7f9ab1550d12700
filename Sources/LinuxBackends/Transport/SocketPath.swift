import EventModel

import struct SystemPackage.Errno

/// The absolute path of a socket, taken apart.
struct SocketPath: Sendable {
    static let byteCountLimit = Limits.socketPathByteCount

    let text: String
    let folder: String
    let name: String

    var bytes: [UInt8] { Array(text.utf8) }
    /// The file beside it that whoever listens has locked.
    var lockName: String { name + ".lock" }

    init(_ text: String) throws(TransportListenerError) {
        guard let (folder, name) = LinuxDurableFile.split(text) else {
            throw TransportListenerError(.pathInvalid, path: text)
        }
        guard text.utf8.count <= Self.byteCountLimit else {
            throw TransportListenerError(.pathTooLong(byteCount: text.utf8.count), path: text)
        }
        self.text = text
        self.folder = folder
        self.name = name
    }

    /// Makes a call whose failure is about the socket or its name.
    func attempt<Value: ~Copyable>(
        _ call: String, _ body: () throws(Errno) -> Value
    ) throws(TransportListenerError) -> Value {
        do throws(Errno) {
            return try body()
        } catch {
            throw TransportListenerError(.call(call, error), path: text)
        }
    }

    /// Makes a call whose failure is about the folder.
    func attemptInFolder<Value: ~Copyable>(
        _ body: () throws(Errno) -> Value
    ) throws(TransportListenerError) -> Value {
        do throws(Errno) {
            return try body()
        } catch {
            throw TransportListenerError(.folder(error), path: text)
        }
    }
}

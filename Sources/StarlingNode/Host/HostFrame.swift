import StarlingCore

/// What a process host puts before every message on a connection: a version and a kind.
enum HostFrame {
  /// The version of everything that a host sends. Hosts of different versions do not talk.
  static let version: UInt8 = 1

  /// What follows the version.
  enum Kind: UInt8 {
    /// The port at which the sender, who opened the connection, listens; 0 for the one it sends from.
    case introduction = 0
    /// A message of the process.
    case message = 1
  }

  static func introduction(port: UInt16) -> [UInt8] {
    var writer = WireWriter(capacity: 4)
    begin(.introduction, in: &writer)
    writer.write(integer: port)
    return writer.bytes
  }

  static func begin(_ kind: Kind, in writer: inout WireWriter) {
    writer.write(version)
    writer.write(kind.rawValue)
  }

  /// Takes the version and the kind.
  static func readKind(from reader: inout WireReader) throws(WireError) -> Kind {
    let theirs = try reader.readByte()
    guard theirs == version else {
      throw .invalid("messages of version \(theirs), where this node speaks \(version)")
    }
    let kind = try reader.readByte()
    guard let kind = Kind(rawValue: kind) else { throw .invalid("a frame of unknown kind \(kind)") }
    return kind
  }
}
